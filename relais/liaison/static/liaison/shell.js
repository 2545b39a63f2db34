/* The page that opens without network: whom to call, for whom to ask, what waits. The address says which request was
   open (/liaison/<id>/saisie/), or after # which resident's. */

import { dayAt } from "../questionnaires/today.js";
import { drafts, expire, lastCard, supported } from "./held.js";
import { follow, reveal } from "./fill.js";
import { door } from "./queue.js";
import { watch } from "./waiting.js";

const box = document.querySelector("[data-waiting]");
const OPEN = /^\/liaison\/([0-9a-f-]{36})\/saisie\/$/;

function show(name) {
  Array.from(document.querySelectorAll("[data-view]")).forEach((view) => {
    view.hidden = view.dataset.view !== name;
  });
  const heading = document.querySelector(`[data-view=${name}] h2`);
  if (heading) {
    heading.focus();
  }
}

/* Address and reload: each request gets a form of its own. */
function go(patient) {
  const shell = box.dataset.shell;
  window.location.assign(`${shell}#${patient}`);
  if (window.location.pathname === shell) {
    window.location.reload();
  }
}

function drawLines(card) {
  const list = document.querySelector("[data-lines]");
  card.lines.forEach((each) => {
    const made = document.importNode(document.querySelector("template[data-line]").content, true).firstElementChild;
    made.querySelector("[data-line-name]").textContent = each.name;
    const link = made.querySelector("a");
    link.href = `tel:${each.phone.replace(/\s/g, "")}`;
    link.textContent = each.phone;
    list.appendChild(made);
  });
}

const FEW = 12; // names that one reads without searching

function fold(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
}

/* A box that leaves the names that hold each word typed. */
function search(place) {
  const field = place.querySelector("[data-people-search]");
  const rows = Array.from(place.querySelectorAll("li"));
  const input = field.querySelector("input");
  field.hidden = rows.length <= FEW;
  input.addEventListener("input", () => {
    const words = fold(input.value).split(/\s+/);
    rows.forEach((row) => {
      const text = fold(row.textContent);
      row.hidden = !words.every((word) => text.indexOf(word) >= 0);
    });
    place.querySelector("[data-people-nobody]").hidden = rows.some((row) => !row.hidden);
  });
}

function drawPeople(place, people) {
  people.forEach((each) => {
    const made = document.importNode(document.querySelector("template[data-person]").content, true).firstElementChild;
    made.querySelector("[data-person-name]").textContent = each.who;
    made.querySelector("[data-person-born]").textContent = each.born;
    made.querySelector("button").addEventListener("click", () => go(each.patient));
    place.querySelector("ul").appendChild(made);
  });
  place.hidden = !people.length;
}

async function write(card, writing, now) {
  const holder = document.querySelector("[data-form-place]");
  const form = document.importNode(holder.querySelector("template").content, true).firstElementChild;
  const given = JSON.parse(form.dataset.questionnaire);
  form.dataset.questionnaire = JSON.stringify(Object.assign(given, { today: dayAt(Date.now() - (card.ahead || 0)) }));
  ["patient", "who", "born", "demand", "drafted"].forEach((name) => {
    form.dataset[name] = writing[name] || "";
  });
  document.querySelector("[data-form-who]").textContent = writing.who + (writing.born ? `, ${writing.born}` : "");
  holder.appendChild(form);
  show("form");
  form.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  await follow(form, card, box, now);
}

async function start() {
  await expire(0);
  const sent = (one) => {
    const form = document.querySelector("[data-form-place] form");
    if (form && form.dataset.patient === one.patient) {
      form.querySelector("[data-written]").hidden = true; // « Appelez le 15 » stays
      reveal("red-send", false);
    }
    document.querySelector("[data-no-network]").hidden = true;
  };
  const now = watch(box, sent);
  const card = await lastCard();
  if (!card) {
    show("none");
    await now();
    return;
  }
  document.querySelector("[data-author]").textContent = `${card.name}, ${card.place}`;
  drawLines(card);
  const begun = await drafts(card);
  const open = OPEN.exec(window.location.pathname);
  const wanted = window.location.hash.slice(1);
  const resident = card.residents.find((each) => each.id === wanted);
  const writing =
    begun.find((each) => (open ? each.demand === open[1] : each.patient === wanted)) ||
    (resident && { patient: resident.id, who: resident.name, born: resident.born });
  if (writing) {
    await write(card, writing, now);
  } else {
    drawPeople(document.querySelector("[data-begun]"), begun);
    const names = card.residents.map((each) => ({ patient: each.id, who: each.name, born: each.born }));
    const residents = document.querySelector("[data-residents]");
    drawPeople(residents, names);
    search(residents);
    residents.querySelector("[data-people-cut]").hidden = !card.cut;
    show("home");
  }
  await now();
  await door(box.dataset); // opened with a network
  document.querySelector("[data-no-network]").hidden = true;
}

async function begin() {
  try {
    await start();
  } catch (error) {
    if (!document.querySelector("[data-view]:not([hidden])")) {
      show("none");
    }
  }
}

if (supported()) {
  begin();
} else {
  show("none");
}
