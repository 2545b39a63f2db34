/* The page that opens without network ([data-shell]): answer, read what to do at once, see what waits. */

import { all } from "../core/ui/ready.js";
import { dayOf, follow, rescue, today } from "./drafts.js";
import { enqueue, waiting } from "./queue.js";
import { newId } from "../core/offline/seal.js";
import { watch } from "./status.js";
import * as store from "./store.js";

const place = document.querySelector("[data-offline]");
const box = document.querySelector("[data-offline-status]");
const views = all(document, "[data-view]");
const REDS = ["rouge", "rouge-psy"];

function show(name) {
  views.forEach((view) => {
    view.hidden = view.dataset.view !== name;
  });
  const heading = document.querySelector(`[data-view=${name}] h2`);
  if (heading) {
    heading.focus();
  }
  window.scrollTo(0, 0);
}

function hide(selector, hidden) {
  document.querySelector(selector).hidden = hidden;
}

/* Whose follow-up this is about: a telephone may serve several. */
function name(card) {
  const line = document.querySelector("[data-for]");
  line.textContent = card && card.name ? line.dataset.words.replace("%name", card.name) : "";
}

function drawLevel(level) {
  all(document, "[data-end-level]").forEach((part) => {
    part.hidden = part.dataset.endLevel !== level;
  });
}

/* The end: what the rules of this device say of the answers that wait (the gravest of them first). `lost`: this device
   could not keep them. */
function end(notes, lost) {
  const levels = notes.map((note) => note.level);
  const child = notes.some((note) => note.child);
  drawLevel(REDS.find((each) => levels.indexOf(each) >= 0) || "");
  all(document, "[data-end-signs]").forEach((part) => {
    part.hidden = part.dataset.endSigns !== (child ? "child" : "adult");
  });
  hide("[data-end-photo]", !notes.some((note) => note.dropped));
  hide("[data-end-unread]", Boolean(lost));
  hide("[data-end-lost]", !lost);
  hide("[data-end-sent]", true);
  document.body.classList.remove("is-underway");
  show("end");
}

/* What became of the answers that waited: the server knows earlier ones, and may find red what this device did not. */
function told(result) {
  const levels = result.sent.map((each) => each.level);
  const red = REDS.find((each) => levels.indexOf(each) >= 0);
  if (red && document.querySelector("[data-end-level=rouge]").hidden) {
    drawLevel(red);
    show("end");
  }
  if (!result.left) {
    hide("[data-end-unread]", true);
    hide("[data-end-sent]", result.refused || !document.querySelector("[data-end-lost]").hidden);
  }
}

async function notesOf(items) {
  const notes = await Promise.all(
    items.map(async (item) => Object.assign({ grant: item.grant }, await store.unlock(item.note)))
  );
  return notes.filter((note) => "level" in note);
}

function whoOf(card) {
  const chosen = (field) => document.querySelector(`[data-who] [name=${field}]:checked`);
  const relation = chosen("relation");
  const reason = chosen("reason");
  return relation && reason ? { relation: relation.value, reason: reason.value } : card.who;
}

async function begin(card, now) {
  const day = dayOf(card);
  const who = whoOf(card);
  if (!who.relation || (who.relation !== "patient" && !who.reason)) {
    show("who");
    return;
  }
  const child = day.population === "child";
  const voice = who.relation === "patient" || child ? "patient" : "proxy";
  const answer = await fetch(`${place.dataset.shell}${day.form}/${day.version}/${voice}/`, { credentials: "omit" });
  const text = await answer.text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const form = document.importNode(page.querySelector("form"), true);
  const given = JSON.parse(form.dataset.questionnaire);
  form.dataset.questionnaire = JSON.stringify(Object.assign(given, { context: day.context, today: today(card) }));
  form.querySelector("[name=request_key]").value = newId(); // the page is kept and serves many times
  const holder = document.querySelector("[data-form-place]");
  holder.textContent = "";
  holder.appendChild(form);
  show("form");
  form.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  const note = (done) => ({ level: done.level, dropped: done.dropped, child });
  const send = async (draft, done) => {
    try {
      await enqueue(card, draft.request, done);
    } catch (error) {
      end([note(done)], true);
      return;
    }
    end([note(done)]);
    await now();
  };
  await follow(form, card, day, () => who, send, (done) => end([note(done)], true));
}

/* `then(card)` for the one whose answers these are: at once when this device serves one follow-up. */
function choose(cards, then) {
  const chosen = (card) => {
    name(card);
    then(card);
  };
  if (cards.length === 1) {
    chosen(cards[0]);
    return;
  }
  const list = document.querySelector("[data-whose]");
  list.textContent = "";
  name(null);
  document.querySelector("[data-who]").reset();
  cards.forEach((card) => {
    const made = document.importNode(document.querySelector("[data-whose-one]").content, true).firstElementChild;
    const button = made.querySelector("button");
    button.textContent = card.name;
    button.addEventListener("click", () => chosen(card));
    list.appendChild(made);
  });
  show("whose");
}

async function start() {
  await store.expire();
  const records = await store.all("card");
  const unlocked = await Promise.all(records.map((record) => store.unlock(record.locked)));
  const cards = unlocked.filter((card) => card && card.days.length);
  const now = watch(box, place.dataset, told);
  if (!cards.length) {
    show("none");
    await now(); // what waits may be refused, which is said
    return;
  }
  let current = cards[0];
  const answer = (card) => {
    current = card;
    return begin(card, now).catch(() => show("none"));
  };
  const cut = await Promise.all(cards.map((card) => rescue(card, "").catch(() => false)));
  const items = await waiting();
  document.querySelector("[data-other]").addEventListener("click", () => show("who"));
  document.querySelector("[data-who-done]").addEventListener("click", () => answer(current));
  all(document, "[data-begin]").forEach((button) => button.addEventListener("click", () => choose(cards, answer)));
  const last = window.location.hash === "#fin" || cut.indexOf(true) >= 0;
  const notes = await notesOf(items);
  const shown = last ? notes.slice(-1) : notes.filter((note) => note.level);
  if (shown.length && (last || window.location.pathname !== place.dataset.answer)) {
    const theirs = cards.filter((card) => card.grant === shown[0].grant);
    name(shown.every((note) => note.grant === shown[0].grant) ? theirs[0] : null);
    end(shown);
  } else if (window.location.pathname === place.dataset.answer) {
    choose(cards, answer);
  } else {
    name(cards.length === 1 ? cards[0] : null);
    show("home");
  }
  await now();
}

start().catch(() => show("none"));
