/* Finished answers that wait for the network: closed, kept, sent once, and what became of them said on the page. */

import { check } from "../questionnaires/logic.js";
import { fired } from "../questionnaires/condition.js";
import { seal } from "./seal.js";
import * as store from "./store.js";

const RED = ["rouge", "rouge-psy"];
const LATER = [401, 403, 408, 429]; // nothing is wrong with the answers
let sending = null;

/* What is finished, ready to be closed: {content, level, dropped}. `level` is what the rules that need these answers
   alone say: rouge, rouge-psy or "". */
export function finish(card, day, given, asked) {
  const checked = check(given.form, Object.assign({}, asked.answers, day.context), given.today, false);
  const files = idsOf(given.form.items, (item) => item.type === "attachment");
  const ours = Object.keys(day.context);
  const answers = {};
  Object.keys(checked.answers).forEach((name) => {
    if (files.indexOf(name) < 0 && ours.indexOf(name) < 0) {
      answers[name] = checked.answers[name];
    }
  });
  const levels = fired(card.rules[day.population], checked.answers, day.facts).map((rule) => rule.level);
  return {
    content: {
      form: given.form.name,
      version: given.form.version,
      relation: asked.relation,
      reason: asked.reason,
      answers,
      started_at: asked.started,
      ended_at: new Date().toISOString(),
      token: day.token,
    },
    level: RED.find((level) => levels.indexOf(level) >= 0) || "",
    dropped: files.some((name) => Boolean(checked.answers[name])),
  };
}

function idsOf(items, wanted) {
  return (items || []).reduce(
    (found, item) => found.concat(wanted(item) ? [item.id] : [], idsOf(item.items, wanted)),
    []
  );
}

/* Close finished answers for the server and let them wait; the draft goes. */
export async function enqueue(card, request, done) {
  await store.put({
    id: request,
    kind: "queued",
    grant: card.grant,
    until: card.until,
    at: done.content.ended_at,
    sealed: await seal(card.server, card.grant, request, done.content),
    note: await store.lock({ level: done.level, dropped: done.dropped, child: done.content.form.indexOf("enfant") > 0 }),
  });
  await store.remove(`draft:${card.grant}`);
}

/* What waits and was not refused. */
export async function waiting() {
  const queued = await store.all("queued");
  return queued.filter((item) => !item.refused);
}

/* Send what waits, one at a time, in the order in which it was answered. What is refused stays, with the sentence.
   {state: sent|offline|entry|other|over, sent: [what the server said]}; *other*: what is left waits for the way in of
   somebody else. Two calls at once are one. */
export function send(urls) {
  if (!sending) {
    sending = run(urls).then(
      (result) => {
        sending = null;
        return result;
      },
      () => {
        sending = null;
        return { state: "offline", sent: [] };
      }
    );
  }
  return sending;
}

async function run(urls) {
  const sent = [];
  const items = await waiting();
  if (!items.length) {
    return { state: "sent", sent };
  }
  const door = await fetch(urls.state, { credentials: "same-origin", headers: { Accept: "application/json" } });
  const key = await door.json();
  if (door.status === 410) {
    await refuse(items.filter((item) => item.grant === key.grant), urls.over);
    await store.wipe(key.grant, false);
    return { state: "over", sent };
  }
  if (!door.ok) {
    return { state: "entry", sent };
  }
  const mine = items.filter((each) => each.grant === key.grant);
  let state = mine.length < items.length ? "other" : "sent";
  for (const item of mine) {
    const answer = await fetch(urls.send, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": key.csrf },
      body: JSON.stringify(Object.assign({ device_at: new Date().toISOString() }, item.sealed)),
    });
    const later = answer.redirected || answer.status >= 500 || LATER.indexOf(answer.status) >= 0;
    const said = later ? null : await answer.json().catch(() => null);
    if (!said) {
      state = "offline"; // one that is not taken keeps none back: graver answers may come after it
    } else if (answer.ok) {
      await store.remove(item.id);
      sent.push(said);
    } else {
      await refuse([item], said.error);
    }
  }
  return { state, sent };
}

function refuse(items, sentence) {
  return Promise.all(items.map((item) => store.put(Object.assign({}, item, { refused: sentence }))));
}
