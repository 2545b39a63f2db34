/* <form data-questionnaire="{form, context, today}">: conditions at once, errors beside their question, rows, a timer,
   and with [data-stepper] one question a screen. The server checks again what this page checked.

   For whoever keeps drafts: the form sends `questionnaire:change` {answers, step} after each change, and takes
   `questionnaire:restore` {answers, step}; `step` is the key of a question. */

import { all, onContent } from "../core/ui/ready.js";
import { at, collect, idOf, index, put, rowsOf } from "./collect.js";
import { check, enabled } from "./logic.js";
import { addRow, bindRows } from "./rows.js";
import { stepper } from "./stepper.js";
import { bindTimers } from "./timer.js";
import { dayOf } from "./today.js";
import { isBlank } from "./values.js";

const SETTLE = 250; // ms

function showError(question, text) {
  const box = question.querySelector("[data-error]");
  box.hidden = !text;
  box.querySelector("[data-error-text]").textContent = text;
  question.classList.toggle("has-error", Boolean(text));
  const target = question.tagName === "FIELDSET" ? question : question.querySelector("input:not([type=checkbox]), textarea");
  if (!target) {
    return;
  }
  const ids = (target.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== box.id);
  if (text) {
    ids.push(box.id);
  }
  if (ids.length) {
    target.setAttribute("aria-describedby", ids.join(" "));
  } else {
    target.removeAttribute("aria-describedby");
  }
  if (target !== question) {
    target.classList.toggle("is-invalid", Boolean(text));
    if (text) {
      target.setAttribute("aria-invalid", "true");
    } else {
      target.removeAttribute("aria-invalid");
    }
  }
}

function bind(form) {
  const given = JSON.parse(form.dataset.questionnaire);
  const opened = Date.now();
  const items = index(given.form.items);
  let steps = null;

  const read = () => Object.assign(collect(form, items), given.context);
  const judge = () => check(given.form, read(), dayOf(given.today, opened), false);
  const places = () => all(form, "[data-question], [data-rows]");
  const keyOf = (place) => place.dataset.question || place.dataset.rows;

  /* Show what is asked now, hide the rest. */
  function update() {
    const answers = read();
    const asked = enabled(given.form, answers);
    all(form, "[data-item]").forEach((element) => {
      element.hidden = !asked.has(element.dataset.item);
    });
    const shown = all(form, "[data-step]").map((step) => step.dataset.item);
    form.querySelector("[data-shown]").value = shown.filter((key) => key.indexOf("/") < 0 && asked.has(key)).join(" ");
    all(form, "[data-clear]").forEach((button) => {
      button.hidden = !button.closest("[data-question]").querySelector("input:checked");
    });
    all(form, ".radio-card").forEach((card) => card.classList.toggle("is-checked", card.querySelector("input").checked));
    if (steps) {
      steps.draw();
    }
    tell(answers);
  }

  function tell(answers) {
    const step = steps && steps.current() ? keyOf(steps.current()) || "" : "";
    form.dispatchEvent(new CustomEvent("questionnaire:change", { bubbles: true, detail: { answers, step } }));
  }

  /* What is wrong with some places, shown there. An unanswered question is left in peace until one goes on. */
  function review(chosen, wholly) {
    const errors = judge().errors;
    const wrong = chosen.filter((place) => {
      const key = keyOf(place);
      const text = errors[key] || "";
      const quiet = !wholly && isBlank(at(read(), key));
      showError(place, quiet ? "" : text);
      return Boolean(text);
    });
    return wrong;
  }

  /* <form data-enough="fg.urgence=vitale fg.motif">: with this answer, only what is wrong at the questions named after it
     keeps the page from being sent. A page may change it as one types. */
  function stopping(wrong) {
    const [condition, ...needed] = (form.dataset.enough || "").split(" ");
    const [question, value] = condition.split("=");
    if (!question || at(read(), question).indexOf(value) < 0) {
      return wrong;
    }
    return wrong.filter((place) => needed.indexOf(keyOf(place)) >= 0);
  }

  function inside(step) {
    return all(step, "[data-question], [data-rows]");
  }

  function focusIn(place) {
    const target = place.querySelector("input:not([hidden]), textarea") || place;
    target.focus();
  }

  function summarise(wrong) {
    all(form, "[data-question-errors]").forEach((old) => old.remove());
    const made = document.importNode(form.querySelector("[data-summary]").content, true).firstElementChild;
    wrong.forEach((place) => {
      const line = document.createElement("li");
      const link = document.createElement("a");
      const title = place.querySelector("[data-title], legend");
      const first = place.querySelector("input, textarea");
      link.href = `#${first ? first.id : ""}`;
      link.textContent = title.firstChild.textContent.trim();
      link.addEventListener("click", (event) => {
        event.preventDefault();
        focusIn(place);
      });
      line.appendChild(link);
      line.appendChild(document.createTextNode(` : ${place.querySelector("[data-error-text]").textContent}`));
      made.querySelector("ul").appendChild(line);
    });
    form.querySelector("[data-questions]").insertAdjacentElement("afterbegin", made);
    made.focus();
  }

  form.addEventListener("input", (event) => {
    const question = event.target.closest("[data-question]");
    update();
    if (question && question.classList.contains("has-error")) {
      review([question], false);
    }
  });
  form.addEventListener("change", (event) => {
    const question = event.target.closest("[data-question]");
    if (question) {
      keepOne(question, event.target, items.get(idOf(question.dataset.question)));
      update();
      // Later than the click that left the question: a page that moves under a finger loses it.
      setTimeout(() => review([question], false), SETTLE);
    }
  });
  form.addEventListener("click", (event) => {
    const clear = event.target.closest("[data-clear]");
    if (clear) {
      const question = clear.closest("[data-question]");
      put(question, items.get(idOf(question.dataset.question)), []);
      update();
      question.querySelector("input").focus();
    }
  });
  form.addEventListener("submit", (event) => {
    const wrong = stopping(review(places(), true));
    if (!wrong.length) {
      return;
    }
    event.preventDefault();
    if (steps) {
      const step = wrong[0].parentNode.closest("[data-rows]") || wrong[0];
      steps.show(step);
      focusIn(wrong[0]);
    } else {
      summarise(wrong);
    }
  });
  form.addEventListener("questionnaire:restore", (event) => {
    restore(form, items, event.detail.answers);
    update();
    const step = all(form, "[data-step]").find((each) => each.dataset.item === event.detail.step);
    if (steps && step && !step.closest("[hidden]")) {
      steps.show(step);
    }
  });
  form.addEventListener("relais:restored", update);
  bindRows(form, update);
  bindTimers(form);
  update();
  if (form.hasAttribute("data-stepper")) {
    steps = stepper(form, (step) => {
      const wrong = review(inside(step), true);
      if (wrong.length) {
        focusIn(wrong[0]);
      }
      return !wrong.length;
    });
  }
}

/* An answer that excludes the others, and a text beside rounds, leave one answer. */
function keepOne(question, input, item) {
  const boxes = all(question, "input[type=checkbox], input[type=radio]");
  const other = question.querySelector("[data-other]");
  if (input.type === "checkbox" && input.checked) {
    boxes
      .filter((box) => box !== input && ("exclusive" in input.dataset || "exclusive" in box.dataset))
      .forEach((box) => {
        box.checked = false;
      });
  }
  if (other && !item.repeats) {
    if (input === other && other.value.trim()) {
      boxes.forEach((box) => {
        box.checked = false;
      });
    } else if (input !== other && input.checked) {
      other.value = "";
    }
  }
}

function restore(form, items, answers) {
  all(form, "[data-rows]").forEach((group) => {
    const wanted = at(answers, group.dataset.rows).length;
    while (rowsOf(group).length < wanted) {
      addRow(group);
    }
  });
  all(form, "[data-question]").forEach((question) => {
    put(question, items.get(idOf(question.dataset.question)), at(answers, question.dataset.question));
  });
}

onContent((root) => {
  all(root, "form[data-questionnaire]").forEach((form) => {
    if (form.dataset.questionnaireBound !== "true") {
      form.dataset.questionnaireBound = "true";
      bind(form);
    }
  });
});
