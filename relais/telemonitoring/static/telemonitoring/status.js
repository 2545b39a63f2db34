/* [data-offline-status]: how many answers wait, that they have gone, and what was refused. Its sentences are its
   data- attributes. */

import * as store from "./store.js";
import { send, waiting } from "./queue.js";

const AGAIN = 60000; // ms between two tries while the browser believes that it has a network

function words(box, key, count) {
  return (box.dataset[count === 1 ? `${key}One` : `${key}Many`] || "").replace("%n", count);
}

function show(box, text, state) {
  const line = box.querySelector("[data-offline-line]");
  line.hidden = !text;
  if (line.textContent !== text) {
    line.textContent = text;
  }
  line.className = text ? `offline-line offline-${state}` : "";
}

async function drawRefused(box) {
  const list = box.querySelector("[data-offline-refused]");
  const queued = await store.all("queued");
  const refused = queued.filter((item) => item.refused);
  list.textContent = "";
  refused.forEach((item) => {
    const made = document.importNode(box.querySelector("template").content, true).firstElementChild;
    const at = new Date(item.at).toLocaleString("fr-FR", { dateStyle: "long", timeStyle: "short", timeZone: "Europe/Paris" });
    made.querySelector("[data-text]").textContent = `${box.dataset.refused.replace("%at", at)} ${item.refused}`;
    made.querySelector("button").addEventListener("click", async () => {
      await store.remove(item.id);
      await drawRefused(box);
    });
    list.appendChild(made);
  });
}

/* Try to send now, and say what came of it. `tell({sent, left, refused})` is called after each try in which the server
   took or refused something. */
async function go(box, urls, tell) {
  const before = await waiting();
  if (before.length) {
    show(box, words(box, "waiting", before.length), "waiting");
  }
  const result = await send(urls);
  const left = await waiting();
  if (left.length) {
    show(box, box.dataset[result.state] || words(box, "waiting", left.length), "waiting");
  } else if (result.sent.length) {
    show(box, words(box, "sent", result.sent.length), "sent");
  } else if (before.length) {
    show(box, "", "");
  }
  await drawRefused(box);
  if (left.length < before.length) {
    tell({ sent: result.sent, left: left.length, refused: before.length - left.length > result.sent.length });
  }
  document.documentElement.dataset.offlineWaiting = String(left.length);
}

/* Say what waits now, and send it whenever the network may be back. Returns the function that tries at once. */
export function watch(box, urls, tell) {
  const now = () => go(box, urls, tell).catch(() => null);
  window.addEventListener("online", now);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      now();
    }
  });
  setInterval(async () => {
    const left = await waiting().catch(() => []);
    if (left.length && navigator.onLine !== false) {
      now();
    }
  }, AGAIN);
  return now;
}
