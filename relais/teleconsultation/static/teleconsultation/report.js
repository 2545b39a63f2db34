// The report: saved as one types, and what others save meanwhile is taken in, or shown beside one's own text.

import { whenAdded } from "./report_added.js";
import { follow } from "./report_others.js";
import { makeSection } from "./report_section.js";

function models(form) {
  const texts = JSON.parse(document.getElementById("report-models").textContent);
  form.querySelector("[data-report-insert]").addEventListener("click", () => {
    const model = texts[form.querySelector("[data-report-model]").value];
    if (!model) return;
    form.querySelectorAll("[data-section]").forEach((field) => {
      const area = field.querySelector("textarea");
      const text = model.sections[field.dataset.section];
      const mine = area.value.trim();
      // A model fills what is empty; the lines of a form (`adds`) come after what is written, once.
      if (text && (!mine || (model.adds && area.value.indexOf(text) < 0))) {
        area.value = mine ? `${mine}\n${text}` : text;
        area.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
  });
}

document.querySelectorAll("[data-report]").forEach((form) => {
  const status = form.querySelector("[data-report-status]");
  const say = (words) => {
    status.textContent = words;
  };
  const sections = [];
  const added = whenAdded(form, sections, say);
  form.querySelectorAll("[data-section]").forEach((field) => sections.push(makeSection(form, field, say, added)));
  models(form);
  follow(form, sections, added);
});
