/* What a ward's tablet holds of requests without network (core/offline/store.js): the card of whoever signed in last
   (views/offline.py), unfinished requests, and finished ones closed for the server.

   {id: card:<user>, kind: card}; {id: draft:<user>:<patient>, kind: draft, locked: writing}; {id: queued:<user>:<patient>,
   kind: queued, name, sealed, locked: writing, refused: sentence, posted: the page sent it itself just now, files: some were
   chosen, which it does not hold}. Each but the card has `user` and `establishment`. `until` of a draft is by the server's
   clock. `writing`: {demand, patient, who, born, drafted, answers, started, files}. */

import { newId, seal } from "../core/offline/seal.js";
import { storeOf, supported } from "../core/offline/store.js";

const PURPOSE = "relais-liaison-1";
const LIFE = 12 * 60 * 60 * 1000; // ms since the last word: as TOO_OLD of actions/offline.py
const WRONG = 5 * 60 * 1000; // ms: as CLOCK of core/sealing.py

export const store = storeOf("relais-liaison", "/liaison/");
export { supported };

/* The card of this page, put to this device's clock. */
export function cardOf(place) {
  if (!place || !place.dataset.card) {
    return null;
  }
  const card = JSON.parse(place.dataset.card);
  const ahead = Date.now() - Date.parse(card.now);
  card.ahead = Math.abs(ahead) >= WRONG ? ahead : 0;
  if (card.ahead) {
    card.until = new Date(Date.parse(card.until) + ahead).toISOString();
  }
  return card;
}

/* Keep a card; the residents that an earlier one named stay when this one names none. */
export async function keepCard(card) {
  const before = await lastCard();
  const same = before && before.user === card.user && before.establishment === card.establishment;
  const known = card.residents ? card : (same && before) || {};
  const { residents = [], cut = false } = known;
  await store.put({
    id: `card:${card.user}`,
    kind: "card",
    user: card.user,
    at: new Date().toISOString(),
    until: card.until,
    locked: await store.lock(Object.assign({}, card, { residents, cut })),
  });
}

/* That of whoever opened liaison last on this tablet, null when it is over. */
export async function lastCard() {
  const records = await store.all("card");
  return records.length ? store.unlock(records[records.length - 1].locked) : null;
}

function idOf(kind, card, patient) {
  return `${kind}:${card.user}:${patient}`;
}

/* Forget what is over. `there`: the server's time (ms) where a page brought it. A clock that is put right as the network
   comes back must not cost a draft: without the server's word it goes once the clock as it is, and as it was known to be
   wrong, agree. */
export async function expire(there) {
  const card = await lastCard();
  const device = Date.now();
  const agreed = there || Math.min(device, device - ((card && card.ahead) || 0));
  await store.expire((record) => (record.kind === "draft" ? agreed : device));
}

/* Twelve hours from now by the server's clock, as far as it is known: never counted from before its last word. */
function draftUntil(card) {
  const now = Math.max(Date.now() - (card.ahead || 0), Date.parse(card.now) || 0);
  return new Date(now + LIFE).toISOString();
}

/* `card`: whose {user, establishment}, with what it knows of the clock {now, ahead}. */
export async function keepDraft(card, writing) {
  await store.put({
    id: idOf("draft", card, writing.patient),
    kind: "draft",
    user: card.user,
    establishment: card.establishment,
    at: new Date().toISOString(),
    until: draftUntil(card),
    locked: await store.lock(writing),
  });
}

export async function draftOf(card, patient) {
  const record = await store.get(idOf("draft", card, patient));
  return record ? store.unlock(record.locked) : null;
}

export function dropDraft(card, patient) {
  return store.remove(idOf("draft", card, patient));
}

/* Unfinished requests of this card, oldest first. */
export async function drafts(card) {
  const records = await store.all("draft");
  const mine = records.filter((record) => record.user === card.user && record.establishment === card.establishment);
  const found = await Promise.all(mine.map((record) => store.unlock(record.locked)));
  return found.filter(Boolean);
}

/* Close a finished request for the server and let it wait, one a resident: the last words count. */
export async function enqueue(card, writing, version, posted) {
  const request = (posted && posted.request) || newId();
  const ended = new Date().toISOString();
  const content = {
    demand: writing.demand || "",
    patient: writing.patient,
    establishment: card.establishment,
    version,
    answers: writing.answers,
    started_at: writing.started,
    ended_at: ended,
  };
  const sealed = await seal(PURPOSE, card.server, card.user, request, content);
  await store.put({
    id: idOf("queued", card, writing.patient),
    kind: "queued",
    user: card.user,
    establishment: card.establishment,
    name: card.name,
    place: card.place,
    at: ended,
    until: card.until,
    sealed: Object.assign({ whose: card.user }, sealed),
    locked: await store.lock(writing),
    posted: Boolean(posted),
    files: Boolean(writing.files),
  });
  await dropDraft(card, writing.patient);
}

/* The page came back with what is wrong: the copy of what it sent goes. */
export async function takeBack(card, patient) {
  const record = await store.get(idOf("queued", card, patient));
  if (record && record.posted) {
    await store.remove(record.id);
  }
}

/* A request that waits, or was refused, is written again: what was typed becomes a draft. What was refused begins anew: what
   went out before is known by now, and holds it back no more. */
export async function reopen(record) {
  const writing = await store.unlock(record.locked);
  if (record.refused) {
    Object.assign(writing, { demand: "", started: "" });
  }
  const clock = (await lastCard()) || {};
  const { user, establishment } = record;
  await keepDraft({ user, establishment, now: clock.now, ahead: clock.ahead }, writing);
  await store.remove(record.id);
  return writing;
}

/* Before a request is removed or marked: a later one may have taken its place meanwhile. */
async function still(record) {
  const now = await store.get(record.id);
  return Boolean(now && now.sealed.request === record.sealed.request);
}

export async function settle(record, refused) {
  if (!(await still(record))) {
    return;
  }
  if (refused) {
    await store.put(Object.assign({}, record, { refused, posted: false }));
  } else {
    await store.remove(record.id);
  }
}
