/* The page that opens without network ([data-shell]): answer, read what to do at once, see what waits. */

import { all } from "../core/ui/ready.js";
import { dayOf, follow, rescue, today } from "./drafts.js";
import { enqueue, waiting } from "./queue.js";
import { watch } from "./status.js";
import * as store from "./store.js";

const place = document.querySelector("[data-offline]");
const box = document.querySelector("[data-offline-status]");
const views = all(document, "[data-view]");

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

/* The end: what the rules of this device say of the answers that wait (the gravest of them first). */
function end(notes) {
  const levels = notes.map((note) => note.level);
  const level = ["rouge", "rouge-psy"].find((each) => levels.indexOf(each) >= 0) || "";
  const child = notes.some((note) => note.child);
  all(document, "[data-end-level]").forEach((part) => {
    part.hidden = part.dataset.endLevel !== level;
  });
  all(document, "[data-end-signs]").forEach((part) => {
    part.hidden = part.dataset.endSigns !== (child ? "child" : "adult");
  });
  document.querySelector("[data-end-photo]").hidden = !notes.some((note) => note.dropped);
  document.body.classList.remove("is-underway");
  show("end");
}

async function notesOf(items) {
  const notes = await Promise.all(items.map((item) => store.unlock(item.note)));
  return notes.filter(Boolean);
}

function whoOf(card) {
  const chosen = (name) => document.querySelector(`[data-who] [name=${name}]:checked`);
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
  form.dataset.questionnaire = JSON.stringify(Object.assign(given, { context: day.context, today: today() }));
  const holder = document.querySelector("[data-form-place]");
  holder.textContent = "";
  holder.appendChild(form);
  show("form");
  form.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  await follow(form, card, day, () => who, async (draft, done) => {
    await enqueue(card, draft.request, done);
    end([{ level: done.level, dropped: done.dropped, child }]);
    await now();
  });
}

async function start() {
  await store.expire();
  const cards = await store.all("card");
  const card = cards.length ? await store.unlock(cards[cards.length - 1].locked) : null;
  if (!card || !card.days.length) {
    show("none");
    return;
  }
  const now = watch(box, place.dataset, () => {
    all(document, "[data-end-unread]").forEach((part) => {
      part.hidden = true;
    });
    all(document, "[data-end-sent]").forEach((part) => {
      part.hidden = false;
    });
  });
  const half = await rescue(card, "");
  const items = await waiting();
  document.querySelector("[data-other]").addEventListener("click", () => show("who"));
  all(document, "[data-begin]").forEach((button) => button.addEventListener("click", () => begin(card, now)));
  if (window.location.hash === "#fin" || half) {
    end(await notesOf(items.slice(-1)));
  } else if (window.location.pathname === place.dataset.answer) {
    await begin(card, now);
  } else {
    const red = (await notesOf(items)).filter((note) => note.level);
    if (red.length) {
      end(red);
    } else {
      show("home");
    }
  }
  await now();
}

start().catch(() => show("none"));
