/* [data-offline] on the pages of the follow-up: prepare this device for days without network, keep what is being
   answered, send what waits. Browsers that lack any of it go on as before, online. */

import { dayOf, follow, rescue, settled } from "./drafts.js";
import { enqueue } from "./queue.js";
import { watch } from "./status.js";
import * as store from "./store.js";

const FORMS = "relais-suivi-forms";
const LAST_TRY = 5000; // ms that leaving waits for a network that does not answer

/* Keep the card, the worker and the questions of the days to come. */
async function prepare(card, urls) {
  await store.put({
    id: `card:${card.grant}`,
    kind: "card",
    grant: card.grant,
    until: card.until,
    at: new Date().toISOString(),
    locked: await store.lock(card),
  });
  await navigator.serviceWorker.register(urls.worker, { scope: urls.scope });
  const wanted = new Set();
  card.days.forEach((day) => {
    ["patient", "proxy"].forEach((voice) => wanted.add(`${urls.shell}${day.form}/${day.version}/${voice}/`));
  });
  const shelf = await caches.open(FORMS);
  await Promise.all(
    Array.from(wanted).map(async (url) => {
      const answer = await fetch(url, { credentials: "omit" });
      if (answer.ok && !answer.redirected) {
        await shelf.put(url, answer);
      }
    })
  );
  await navigator.serviceWorker.ready;
  document.documentElement.dataset.offlineReady = "true";
}

function followForm(form, card, urls) {
  const day = card.days.find((each) => each.form === form.querySelector("[name=form]").value) || dayOf(card);
  const value = (name) => form.querySelector(`[name=${name}]`).value;
  const asked = () => ({ relation: value("relation"), reason: value("reason") });
  const online = () => {
    Array.from(form.querySelectorAll("[type=submit]")).forEach((button) => button.classList.add("is-busy"));
    form.submit();
  };
  const send = async (draft, done) => {
    if (navigator.onLine === false && navigator.serviceWorker.controller) {
      await enqueue(card, draft.request, done);
      window.location.assign(`${urls.shell}#fin`);
    } else {
      online();
    }
  };
  return follow(form, card, day, asked, send, online); // a full or closed store loses the copy, not the answers
}

/* The server may find red what this device alone did not: then one reads at once what to do. */
function heed(urls, told) {
  if (told.sent.some((each) => each.level.indexOf("rouge") === 0)) {
    window.location.assign(urls.instruction);
  }
}

/* Leaving on this device forgets everything, after a last try to send. */
function leaving(box, now) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-sign-out") || event.defaultPrevented) {
      return;
    }
    event.preventDefault();
    await Promise.race([now(), new Promise((resolve) => setTimeout(resolve, LAST_TRY))]);
    const left = Number(document.documentElement.dataset.offlineWaiting || 0);
    if (left && !window.confirm(box.dataset.leave)) {
      return;
    }
    await store.forget().catch(() => null);
    form.submit();
  });
}

async function start(place, box) {
  const urls = place.dataset;
  await store.expire();
  const card = place.dataset.card ? settled(JSON.parse(place.dataset.card)) : null;
  const now = watch(box, urls, (told) => heed(urls, told));
  leaving(box, now);
  const form = document.querySelector("form[data-kept-offline]");
  const cards = await store.all("card");
  const last = card || (cards.length ? await store.unlock(cards[cards.length - 1].locked) : null);
  if (last && last.server) {
    const refused = form && form.querySelector(".has-error, .error-summary");
    await rescue(last, refused ? "refused" : place.dataset.answered || "");
  }
  if (card && card.server && !card.over && form) {
    await followForm(form, card, urls);
  }
  await now();
  if (card && card.over) {
    await store.wipe(card.grant, false);
  } else if (card && card.server) {
    await prepare(card, urls);
  }
}

const place = document.querySelector("[data-offline]");
const box = document.querySelector("[data-offline-status]");
if (place && box && store.supported()) {
  start(place, box).catch(() => null);
}
