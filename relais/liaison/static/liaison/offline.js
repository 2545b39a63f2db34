/* On the pages of liaison: prepare this tablet for hours without network, send what waits. Browsers that lack any of it go
   on as before, online. */

import { cardOf, expire, keepCard, supported } from "./held.js";
import { watch } from "./waiting.js";

/* Begin: `tell` as for watch(). The function that tries to send at once; null where the browser cannot. */
export async function prepare(box, tell) {
  const card = cardOf(box);
  await expire(card ? Date.parse(card.now) : 0);
  if (card) {
    await keepCard(card);
  }
  const now = watch(box, tell);
  if (card) {
    navigator.serviceWorker
      .register(box.dataset.worker, { scope: box.dataset.scope })
      .then(() => navigator.serviceWorker.ready)
      .then(() => {
        document.documentElement.dataset.offlineReady = "true";
      })
      .catch(() => null);
  }
  return now;
}

const box = document.querySelector("[data-waiting][data-alone]");
if (box && supported()) {
  prepare(box, () => null).then((now) => now()).catch(() => null);
}
