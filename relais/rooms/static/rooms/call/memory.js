/* How one was in the call, kept by the tab: a page that comes back soon goes straight in. */

import { storage } from "../../core/ui/ready.js";
import * as media from "./media.js";

const RELOAD = 120000; // a page that comes back within two minutes goes straight in

/** The memory of the call whose address to join is `address`. */
export function memoryOf(address) {
  const key = `relais-call ${address}`;

  function remember() {
    const kept = storage("session");
    if (kept) {
      const how = { audio: Boolean(media.track("audio")), video: Boolean(media.track("video")), muted: media.muted() };
      kept.setItem(key, JSON.stringify(Object.assign(how, { at: Date.now() })));
    }
  }

  /** {audio, video, muted}, or null when there is nothing or it is too old. */
  function recall() {
    const kept = storage("session");
    const how = kept && JSON.parse(kept.getItem(key) || "null");
    return how && Date.now() - how.at < RELOAD ? how : null;
  }

  function forget() {
    const kept = storage("session");
    if (kept) {
      kept.removeItem(key);
    }
  }

  return { remember, recall, forget };
}
