/* A daily form whose answers survive a cut network, a closed page and a lost telephone alike: unfinished, they are kept
   under this device's own key for an hour; finished, they are closed for the server. */

import { newId } from "../core/offline/seal.js";
import { enqueue, finish } from "./queue.js";
import * as store from "./store.js";

const LIFE = 60 * 60 * 1000; // ms: answers say how one is now
const PAUSE = 400;
const WRONG = 5 * 60 * 1000; // ms: as CLOCK of actions/offline.py
const AGAIN = 10000; // ms after which a page that is still there can be sent again

/* A card as it came from the site, put to this device's clock: `ahead` is by how many ms that one is wrong. */
export function settled(card) {
  const ahead = Date.now() - Date.parse(card.now);
  if (Math.abs(ahead) < WRONG) {
    return Object.assign(card, { ahead: 0 });
  }
  return Object.assign(card, { ahead, until: new Date(Date.parse(card.until) + ahead).toISOString() });
}

/* The day in Paris, as 2026-11-21, whatever this device's clock says. */
export function today(card) {
  const parts = {};
  new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Paris", year: "numeric", month: "2-digit", day: "2-digit" })
    .formatToParts(new Date(Date.now() - (card.ahead || 0)))
    .forEach((part) => {
      parts[part.type] = part.value;
    });
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/* What the card says of today; of the last day that it knows when the network has been away for longer. */
export function dayOf(card) {
  const date = today(card);
  return card.days.find((day) => day.date === date) || card.days[card.days.length - 1];
}

/* The draft of this way in: young enough, or finished and perhaps never arrived. */
export async function draftOf(card) {
  const record = await store.get(`draft:${card.grant}`);
  const draft = record ? await store.unlock(record.locked) : null;
  if (draft && (draft.done || Date.now() - draft.saved < LIFE)) {
    return draft;
  }
  await store.remove(`draft:${card.grant}`);
  return null;
}

async function keep(card, draft) {
  await store.put({
    id: `draft:${card.grant}`,
    kind: "draft",
    grant: card.grant,
    until: card.until,
    locked: await store.lock(Object.assign({ saved: Date.now() }, draft)),
  });
}

/* Follow a form [data-questionnaire]. `asked()` gives {relation, reason}; `send(draft, done)` is called with finished
   answers, already kept as a draft; `lost(done)` when this device could not keep them. */
export async function follow(form, card, day, asked, send, lost) {
  const given = JSON.parse(form.dataset.questionnaire);
  const known = await draftOf(card).catch(() => null);
  const draft = { form: given.form.name, version: given.form.version, answers: null, step: "" };
  const field = form.querySelector("[name=request_key]");
  const same = known && known.form === draft.form && known.version === draft.version;
  const mine = same && !known.done && known.relation === asked().relation;
  draft.request = (field && field.value) || newId(); // never a draft's own: another page may have sent it since
  draft.started = mine ? known.started : new Date().toISOString();
  let timer = null;
  let busy = false;
  let left = false; // the answers as they were have left this page
  form.addEventListener("input", (event) => {
    draft.touched = draft.touched || event.isTrusted;
  }, true);
  form.addEventListener("questionnaire:change", (event) => {
    Object.assign(draft, event.detail, asked());
    if (draft.touched) {
      if (left) {
        left = false; // changed since: another sending, or it would be taken for the first
        draft.request = newId();
        if (field) {
          field.value = draft.request;
        }
      }
      clearTimeout(timer);
      timer = setTimeout(() => keep(card, draft).catch(() => null), PAUSE);
    }
  });
  form.addEventListener("submit", async (event) => {
    if (event.defaultPrevented) {
      return;
    }
    event.preventDefault();
    if (busy) {
      return;
    }
    busy = true;
    setTimeout(() => {
      busy = false;
    }, AGAIN);
    clearTimeout(timer);
    Object.assign(draft, asked());
    const done = finish(card, day, given, draft);
    try {
      await keep(card, Object.assign({ done }, draft));
    } catch (error) {
      lost(done);
      return;
    }
    left = true;
    await send(draft, done);
  });
  window.addEventListener("pageshow", () => {
    busy = false;
  });
  const seen = form.querySelector(".has-error, .error-summary");
  if (mine && known.touched && !seen) {
    draft.touched = true;
    form.dispatchEvent(new CustomEvent("questionnaire:restore", { detail: { answers: known.answers, step: known.step } }));
    const text = "Votre saisie a été retrouvée. Vérifiez-la avant d’envoyer.";
    document.dispatchEvent(new CustomEvent("relais:toast", { detail: { text, state: "info" } }));
  } else {
    form.dispatchEvent(new CustomEvent("input", { bubbles: false })); // its answers as they stand
  }
  form.dataset.followed = "true";
}

/* Finished answers whose sending was cut are closed and wait: whether they had arrived, the server knows. `arrived` is
   the id of what the page says has arrived, or "refused" when the page asks for them again. Whether there were any. */
export async function rescue(card, arrived) {
  const draft = await draftOf(card).catch(() => null);
  if (!draft || !draft.done) {
    return false;
  }
  if (arrived === draft.request || arrived === "refused") {
    await store.remove(`draft:${card.grant}`);
    return false;
  }
  await enqueue(card, draft.request, draft.done);
  return true;
}
