/* Requests that wait on this tablet are sent when the network is there, each under the name of its author alone. */

import { settle, store } from "./held.js";

const PATIENCE = 8000; // ms
const REFUSED = [409, 422];
const BY_ITSELF = { "X-Background": "1" }; // nobody acts: the session is not prolonged
const held = {}; // by id: until when (ms of this page) the page itself is sending it, with its files
let sending = null;

/* fetch that gives up: a network that is lost often says nothing at all. */
export function ask(url, options) {
  const given = Object.assign({ credentials: "same-origin" }, options);
  given.headers = Object.assign({ Accept: "application/json" }, given.headers);
  return Promise.race([
    fetch(url, given),
    new Promise((resolve, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE)),
  ]);
}

/* Who is signed in: {user, establishment, csrf}, null when nobody is. Rejects without network. */
export async function door(urls) {
  const answer = await ask(urls.state, { headers: BY_ITSELF });
  if (answer.status === 401) {
    return null;
  }
  if (!answer.ok) {
    throw new Error(String(answer.status));
  }
  return answer.json();
}

/* This page posts that request itself, with files that its copy lacks: for `time` ms it sends no copy. */
export function hold(request, time) {
  held[request] = performance.now() + time;
}

/* Send what waits, in the order in which it was written. {state: ok|offline|out, key, sent: [{said, url, again, files, record,
   patient}]}; `key` null: nobody is signed in, it is not known who, or nothing lies here.
   Two calls at once are one; two pages may send the same: the server takes it once. */
export function send(urls) {
  if (!sending) {
    sending = run(urls).then(
      (result) => {
        sending = null;
        return result;
      },
      () => {
        sending = null;
        return { state: "offline", key: null, sent: [] };
      }
    );
  }
  return sending;
}

async function run(urls) {
  const queued = await store.all("queued");
  const sent = [];
  if (!queued.length) {
    return { state: "ok", key: null, sent };
  }
  const key = await door(urls); // of what was refused too: its author alone may read it
  if (!key) {
    return { state: "out", key, sent };
  }
  const waiting = queued.filter((record) => !record.refused && !(held[record.sealed.request] > performance.now()));
  let state = "ok";
  for (const record of waiting.filter((one) => one.user === key.user && one.establishment === key.establishment)) {
    try {
      const answer = await ask(urls.send, {
        method: "POST",
        headers: Object.assign({ "Content-Type": "application/json", "X-CSRFToken": key.csrf }, BY_ITSELF),
        body: JSON.stringify(Object.assign({ device_at: new Date().toISOString() }, record.sealed)),
      });
      const said = await answer.json();
      if (answer.ok && said.said) {
        const writing = await store.unlock(record.locked);
        await settle(record, "");
        sent.push(Object.assign({ record, patient: writing ? writing.patient : "" }, said));
      } else if (REFUSED.indexOf(answer.status) >= 0) {
        await settle(record, said.error);
      } else if (answer.status === 404) {
        await settle(record, urls.closed);
      } else {
        state = "offline";
      }
    } catch (error) {
      state = "offline"; // one that is not taken keeps none back: a graver one may come after it
    }
  }
  return { state, key, sent };
}
