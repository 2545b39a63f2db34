/* How sound and image go, as the server says: from page to page, or through a video relay; and what one must know of it. */

import { openMesh } from "./mesh.js";
import { every, find, show, text } from "./page.js";
import { openRelayed } from "./relayed.js";

/** `wanted`: as for mesh.js and relayed.js, and carrier ("mesh" or "sfu"). */
export function open(wanted) {
  const relayed = wanted.carrier === "sfu";
  const opened = relayed ? openRelayed(wanted) : Object.assign(openMesh(wanted), { up: () => false, unseated: () => {} });
  return Object.assign(opened, { carrier: wanted.carrier });
}

/** One sentence while the relay is away, or while a browser inside cannot hide frames from it; null: nothing to say. */
export function say(state) {
  const relay = state && state.relay;
  const key = state && state.fallen ? "fallen" : relay && !relay.closed ? "readable" : "";
  const box = find("[data-carried]");
  const sentence = key ? text(key) : "";
  if (box.textContent !== sentence) {
    box.textContent = sentence;
  }
  show(box, Boolean(key));
  every("[data-sealed]").forEach((one) => show(one, Boolean(relay && relay.closed)));
}
