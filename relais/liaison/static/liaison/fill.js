/* The request of a nursing home as one types: scores and « Appelez le 15 » at once; what is typed is kept by the server, and
   without network by this tablet; a request that is finished without network is closed, and leaves by itself (queue.js).
   <form data-questionnaire data-scores="{tables}" data-enough data-enough-red [data-keep="address"] data-patient data-who
   data-demand data-version>. [data-vital] sends at once, as vital, what there is. */

import { check } from "../questionnaires/logic.js";
import { dayOf } from "../questionnaires/today.js";
import { cardOf, draftOf, dropDraft, enqueue, keepDraft, supported, takeBack } from "./held.js";
import { prepare } from "./offline.js";
import { ask, door, hold } from "./queue.js";
import { score } from "./scores.js";
import { lacksFiles, say, unsay } from "./waiting.js";

const PAUSE = 1500; // ms without typing before the draft leaves
const HERE = 400; // ms before it is kept on this tablet
const AGAIN = 10000; // ms before trying again without network
const WITH_FILES = 300000; // ms that a page may take to send files, before its copy leaves without them
const WITH_FILES_VITAL = 60000;

function show(form, tables, answers) {
  const found = score(tables, answers);
  const banner = form.querySelector("[data-red]");
  const why = found.red.join(", ");
  if (banner.querySelector("[data-red-why]").textContent !== why) {
    banner.querySelector("[data-red-why]").textContent = why;
  }
  banner.hidden = !why;
  form.querySelector("[data-live-news2]").textContent = found.news2;
  form.querySelector("[data-live-qsofa]").textContent = found.qsofa;
  const missing = form.querySelector("[data-live-missing]");
  missing.textContent = found.missing.length ? `${missing.dataset.words} ${found.missing.join(", ")}` : "";
  return found;
}

function bodyOf(form) {
  const body = new FormData(form);
  Array.from(form.querySelectorAll("input[type=file]")).forEach((input) => body.delete(input.name));
  return body;
}

export function reveal(name, shown) {
  Array.from(document.querySelectorAll(`[data-${name}]`)).forEach((each) => {
    each.hidden = !shown;
  });
}

function questionOf(form, name) {
  const place = Array.from(form.querySelectorAll("[data-question]")).find((each) => each.dataset.question === name);
  const title = place && place.querySelector("[data-title], legend, label");
  return title ? title.firstChild.textContent.trim() : "";
}

/* Follow a form. `card`: who writes on this tablet, null where it can keep nothing; `box`: [data-waiting], with addresses
   and sentences; `now()` tries to send what waits. */
export async function follow(form, card, box, now) {
  const urls = box ? box.dataset : {};
  const given = JSON.parse(form.dataset.questionnaire);
  const tables = JSON.parse(form.dataset.scores);
  const said = form.querySelector("[data-kept]");
  const button = form.querySelector("button[data-send]");
  const atOnce = form.querySelector("[data-vital]");
  const enough = form.dataset.enough;
  const opened = Date.now();
  const token = form.querySelector("[name=csrfmiddlewaretoken]");
  let started = new Date().toISOString();
  let typed = {};
  let timer = null;
  let hereTimer = null;
  let sending = false;
  let began = false;
  let left = false;
  let cut = !form.dataset.keep; // what is typed is not with the server
  let why = "offline"; // or out, gone, other
  let renewed = false;
  let unsaved = false; // since the last draft left

  const known = () => check(given.form, typed, dayOf(given.today, opened), true).answers;
  const writing = (answers) => ({
    demand: form.dataset.demand || "",
    patient: form.dataset.patient,
    who: form.dataset.who,
    born: form.dataset.born || "",
    drafted: form.dataset.drafted || "",
    answers,
    started,
  });

  function later(pause) {
    window.clearTimeout(timer);
    timer = window.setTimeout(keep, pause);
  }

  const hasFiles = () => Array.from(form.querySelectorAll("input[type=file]")).some((input) => input.files.length);

  /* Where what is typed stands: on this tablet (`here`), or on this page alone. */
  function place(here) {
    const kept = { offline: said.dataset.here, out: said.dataset.out, gone: said.dataset.gone, other: said.dataset.other };
    const open = {
      offline: said.dataset.offline, out: said.dataset.outLost, gone: said.dataset.goneLost, other: said.dataset.otherLost,
    };
    said.textContent = (here ? kept : open)[why];
  }

  /* Keep it on this tablet, which may be unable to: the page says which. Resolves to whether it is kept. */
  async function keepHere() {
    if (left) {
      return true;
    }
    const here = Boolean(card) && (await keepDraft(card, writing(typed)).then(() => true, () => false));
    if (!left && cut) {
      place(here);
    }
    return here;
  }

  function lost(reason) {
    if (!cut) {
      said.textContent = "";
    }
    cut = true;
    why = reason;
    reveal("no-network", reason === "offline");
    keepHere();
    later(AGAIN);
  }

  /* Somebody signed in in another tab: the page's token is of before. */
  function renew() {
    return door(urls).then((key) => {
      if (!key || (card && key.user !== card.user)) {
        lost("out");
        return;
      }
      renewed = true;
      token.value = key.csrf;
      later(0);
    });
  }

  function keep(leaving) {
    if (left || !form.dataset.keep) {
      return;
    }
    if (sending) {
      later(PAUSE);
      return;
    }
    sending = true;
    unsaved = false;
    ask(form.dataset.keep, { method: "POST", body: bodyOf(form), keepalive: leaving === true })
      .then((response) => {
        if (response.status === 401) {
          lost("out");
          return null;
        }
        if (response.status === 403 && !renewed) {
          return renew();
        }
        if (response.status < 500 && !response.ok) {
          lost("gone");
          return null;
        }
        if (!response.ok) {
          throw new Error(String(response.status));
        }
        return response.json();
      })
      .then((answer) => {
        if (answer && answer.sent && !left) {
          said.textContent = said.dataset.already;
        }
        if (answer && answer.other && !left) {
          lost("other");
        }
        if (answer && answer.kept && !left) {
          cut = false;
          renewed = false;
          reveal("no-network", false);
          said.textContent = answer.kept;
          return card ? dropDraft(card, form.dataset.patient) : null;
        }
        return null;
      })
      .catch(() => {
        if (!left) {
          lost("offline");
        }
      })
      .then(() => {
        sending = false;
      });
  }

  form.addEventListener("questionnaire:change", (event) => {
    typed = event.detail.answers;
    form.dataset.enough = show(form, tables, known()).redBySigns ? form.dataset.enoughRed : enough;
    if (began) {
      unsaved = true;
      later(PAUSE); // the first change is the page drawn
      if (cut) {
        window.clearTimeout(hereTimer);
        hereTimer = window.setTimeout(keepHere, HERE);
      }
    }
    began = true;
  });

  /* What this tablet kept meanwhile comes back; where a colleague wrote too, one is told what differs. */
  async function restore() {
    const draft = card && (await draftOf(card, form.dataset.patient).catch(() => null));
    if (!draft || form.querySelector(".error-summary")) {
      return;
    }
    const theirs = typed;
    const both = draft.drafted === (form.dataset.drafted || "") ? [] : Object.keys(draft.answers);
    const differ = both.filter((name) => theirs[name] && JSON.stringify(theirs[name]) !== JSON.stringify(draft.answers[name]));
    form.dataset.demand = form.dataset.demand || draft.demand;
    started = draft.started || started;
    const answers = Object.assign({}, theirs, draft.answers);
    form.dispatchEvent(new CustomEvent("questionnaire:restore", { detail: { answers, step: "" } }));
    const names = differ.map((name) => questionOf(form, name)).filter(Boolean);
    say(box, names.length ? `${urls.differ} ${names.join(", ")}.` : urls.found);
  }

  /* Closed, kept, and the form gives way to what happens now. */
  async function wait() {
    const files = hasFiles();
    await enqueue(card, Object.assign(writing(typed), { files }), form.dataset.version, null);
    left = true;
    window.clearTimeout(timer);
    window.clearTimeout(hereTimer);
    form.querySelector("[data-written]").hidden = true;
    unsay(box);
    reveal("red-send", false);
    reveal("may-write", false);
    reveal("no-files", files);
    reveal("discard", false);
    await now();
    window.scrollTo(0, 0);
  }

  async function leave() {
    const there = navigator.onLine === false ? undefined : await door(urls).catch(() => undefined);
    const mine = there && there.user === card.user && there.establishment === card.establishment;
    if (!mine || !form.dataset.keep) {
      await wait();
      return;
    }
    left = true;
    window.clearTimeout(timer);
    token.value = there.csrf;
    const request = form.querySelector("[name=request_key]").value;
    const files = hasFiles();
    if (files) {
      hold(request, (typed["fg.urgence"] || [])[0] === "vitale" ? WITH_FILES_VITAL : WITH_FILES);
    }
    await enqueue(card, Object.assign(writing(typed), { files }), form.dataset.version, { request }).catch(() => null);
    form.submit();
  }

  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) {
      return;
    }
    if (!card) {
      left = true;
      window.setTimeout(() => {
        left = false; // an answer that never came: the page is still there
      }, AGAIN);
      return;
    }
    event.preventDefault();
    if (button.classList.contains("is-busy")) {
      return;
    }
    button.classList.add("is-busy");
    window.setTimeout(() => {
      button.classList.remove("is-busy");
      left = left && form.querySelector("[data-written]").hidden;
    }, AGAIN);
    leave().catch(() => {
      place(false); // this tablet could not keep it
      button.classList.remove("is-busy");
      left = false;
      if (navigator.onLine !== false && form.dataset.keep) {
        form.submit();
      }
    });
  });

  atOnce.hidden = false;
  atOnce.addEventListener("click", () => {
    const vital = form.querySelector('[name="q-fg.urgence"][value="vitale"]');
    vital.checked = true;
    vital.dispatchEvent(new Event("change", { bubbles: true })); // shown, judged and kept as if the nurse had chosen it
    button.click();
  });

  /* The tablet is put away, or the page left: what waited for a pause is kept now. */
  function putAway() {
    if (left || !unsaved) {
      return;
    }
    if (cut) {
      window.clearTimeout(hereTimer);
      keepHere();
    } else {
      window.clearTimeout(timer);
      keep(true);
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      putAway();
    }
  });
  window.addEventListener("pagehide", putAway);
  window.addEventListener("offline", () => {
    if (!left && form.dataset.keep) {
      lost("offline");
    }
  });
  window.addEventListener("online", () => {
    if (!left && form.dataset.keep) {
      keep();
    }
  });

  reveal("may-write", Boolean(card));
  form.dispatchEvent(new CustomEvent("input", { bubbles: false })); // its answers as they stand
  if (card && form.querySelector(".error-summary")) {
    await takeBack(card, form.dataset.patient).catch(() => null);
  }
  await restore();
  form.dataset.followed = "true";
}

async function start(form, box) {
  let now = () => Promise.resolve();
  const able = Boolean(box && supported());
  const card = able ? cardOf(box) : null;
  const tell = (one) => {
    if (one.record.posted && !lacksFiles(one)) {
      window.location.assign(one.url);
    } else if (one.patient === form.dataset.patient) {
      form.querySelector("[data-written]").hidden = true; // « Appelez le 15 » stays
      reveal("red-send", false);
      reveal("no-network", false);
      reveal("discard", false);
    }
  };
  if (able) {
    now = await prepare(box, tell).catch(() => now);
  }
  await follow(form, card, box, now);
  await now();
}

const page = document.querySelector("form[data-scores][data-keep]");
if (page) {
  start(page, document.querySelector("[data-waiting]"));
}
