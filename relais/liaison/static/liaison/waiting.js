/* [data-waiting]: the requests that wait on this tablet, those that the server refused, and what was sent just now. Its
   sentences are its data- attributes. */

import { lastCard, reopen, store } from "./held.js";
import { send } from "./queue.js";

const AGAIN = 20000; // ms between two tries while something waits

function line(box, state, text, buttons) {
  const made = document.importNode(box.querySelector("template").content, true).firstElementChild;
  made.classList.add(`notice-${state}`);
  made.querySelector("[data-text]").textContent = text;
  const place = made.querySelector("[data-buttons]");
  buttons.forEach((button) => place.appendChild(button));
  if (!buttons.length) {
    place.remove();
  }
  return made;
}

function button(words, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-secondary btn-sm";
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
}

function link(words, url) {
  const made = document.createElement("a");
  made.className = "btn btn-secondary btn-sm";
  made.href = url;
  made.textContent = words;
  return made;
}

function clock(iso) {
  return new Date(iso).toLocaleString("fr-FR", { dateStyle: "short", timeStyle: "short", timeZone: "Europe/Paris" });
}

function put(words, values) {
  return Object.keys(values).reduce((text, name) => text.split(`%${name}`).join(values[name]), words);
}

/* One notice of a record that is still here. `key`: who is signed in, as far as it is known. */
async function notice(box, record, result, again) {
  const words = box.dataset;
  const card = await lastCard();
  const writing = await store.unlock(record.locked);
  const theirs = result.key ? result.key.user !== record.user : !card || card.user !== record.user;
  const values = { at: clock(record.at), name: record.name, who: writing ? writing.who : "", place: record.place };
  if (theirs || !writing || (record.refused && result.state === "out")) {
    return line(box, "warning", put(record.refused ? words.theirsRefused : words.theirs, values), []);
  }
  if (result.key && result.key.establishment !== record.establishment) {
    return line(box, "warning", put(words.elsewhere, values), []);
  }
  const open = button(words.reopen, async () => {
    await reopen(record);
    window.location.assign(`${words.shell}#${writing.patient}`);
    if (window.location.pathname === words.shell) {
      window.location.reload();
    }
  });
  const drop = button(words.drop, async () => {
    if (window.confirm(words.sure)) {
      await store.remove(record.id);
      again();
    }
  });
  if (record.refused) {
    return line(box, "danger", `${put(words.refused, values)} ${record.refused}`, [open, drop]);
  }
  if (result.state === "out") {
    return line(box, "warning", put(words.out, values), []); // a network, and nobody who may touch it
  }
  return line(box, "warning", put(words.queued, values), [open, drop]);
}

/* Whether files that were chosen did not leave with what was sent. */
export function lacksFiles(one) {
  return Boolean(one.record.files && !one.files);
}

/* A sentence that stays on the page. */
export function say(box, text) {
  box.querySelector("[data-said]").appendChild(line(box, "info", text, []));
}

export function unsay(box) {
  box.querySelector("[data-said]").textContent = "";
}

/* Show and send what waits, now and whenever the network may be back. `tell(sent)` hears of each request that was sent.
   Returns the function that tries at once. */
export function watch(box, tell) {
  const urls = box.dataset;
  const said = box.querySelector("[data-sent]");
  const list = box.querySelector("[data-list]");
  let drawn = "";
  let turn = Promise.resolve();

  async function draw(result) {
    const records = (await store.all("queued")).filter((record) => !record.posted || result.state !== "ok");
    const notices = await Promise.all(records.map((record) => notice(box, record, result, () => draw(result))));
    const text = notices.map((each) => each.textContent).join("|");
    if (text !== drawn) {
      drawn = text;
      list.textContent = "";
      notices.forEach((each) => list.appendChild(each));
    }
    document.documentElement.dataset.waiting = String(records.filter((record) => !record.refused).length);
  }

  async function go() {
    if (navigator.onLine === false) {
      await draw({ state: "offline", key: null, sent: [] });
      return;
    }
    const result = await send(urls);
    result.sent.filter((one) => !one.record.posted || !one.again || lacksFiles(one)).forEach((one) => {
      said.appendChild(line(box, "ok", one.said, [link(urls.open, one.url)]));
      if (lacksFiles(one)) {
        said.appendChild(line(box, "warning", urls.lacking, []));
      }
    });
    await draw(result);
    for (const one of result.sent) {
      tell(one);
    }
  }

  const now = () => {
    turn = turn.then(go).catch(() => null);
    return turn;
  };
  window.addEventListener("online", now);
  window.addEventListener("offline", now);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      now();
    }
  });
  setInterval(async () => {
    const queued = await store.all("queued").catch(() => []);
    if (queued.some((record) => !record.refused)) {
      now();
    }
  }, AGAIN);
  return now;
}
