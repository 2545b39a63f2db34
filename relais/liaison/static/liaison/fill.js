/* The request of a nursing home as one types: scores and « Appelez le 15 » at once, the draft kept by itself.
   <form data-questionnaire data-scores="{tables}" data-keep="address">. */

import { check } from "../questionnaires/logic.js";
import { score } from "./scores.js";

const PAUSE = 1500; // ms without typing before the draft leaves
const AGAIN = 10000; // ms before trying again without network

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
}

function bodyOf(form) {
  const body = new FormData(form);
  Array.from(form.querySelectorAll("input[type=file]")).forEach((input) => body.delete(input.name));
  return body;
}

function bind(form) {
  const given = JSON.parse(form.dataset.questionnaire);
  const tables = JSON.parse(form.dataset.scores);
  const said = form.querySelector("[data-kept]");
  let timer = null;
  let sending = false;
  let began = false;
  let left = false;

  function later(pause) {
    window.clearTimeout(timer);
    timer = window.setTimeout(keep, pause);
  }

  function keep() {
    if (left) {
      return;
    }
    if (sending) {
      later(PAUSE);
      return;
    }
    sending = true;
    fetch(form.dataset.keep, { method: "POST", body: bodyOf(form), credentials: "same-origin" })
      .then((response) => {
        if (!response.ok) {
          throw new Error(String(response.status));
        }
        return response.json();
      })
      .then((answer) => {
        if (answer.kept) {
          said.textContent = answer.kept;
        }
      })
      .catch(() => {
        if (!left) {
          said.textContent = said.dataset.offline;
          later(AGAIN);
        }
      })
      .then(() => {
        sending = false;
      });
  }

  form.addEventListener("questionnaire:change", (event) => {
    show(form, tables, check(given.form, event.detail.answers, given.today, true).answers);
    if (began) {
      later(PAUSE); // the first change is the page drawn
    }
    began = true;
  });
  form.addEventListener("submit", () => {
    left = true;
    window.clearTimeout(timer);
    window.setTimeout(() => {
      left = false; // an answer that never came: the page is still there
    }, AGAIN);
  });
}

Array.from(document.querySelectorAll("form[data-scores]")).forEach(bind);
