// Another made it the report while one still wrote here, or the dossier was closed: nothing is saved any more, what is
// typed stays, and can be copied, or go on as a new version of the report.

import { copyText } from "../core/ui/clipboard.js";

/** `sections`: those of report_section.js; `say(words)` is the status line. Answers {known(), stop(said)}. */
export function whenAdded(form, sections, say) {
  const box = form.querySelector("[data-added]");
  const known = form.querySelector("input[name=filed]");
  let filed = null;
  let stopped = false;

  function own() {
    return sections.filter((section) => section.own());
  }

  // Below what one writes in, so that it is seen; nothing to say to who wrote nothing.
  function place(field) {
    const mine = own();
    if (!mine.length) return;
    const there = mine.filter((section) => section.field === field)[0] || mine[0];
    if (box.parentNode !== there.field) there.field.appendChild(box);
    box.hidden = false;
    say("Votre texte n’est plus enregistré.");
  }

  /** `said`: {filed: {id, words, url}}, or {error} once nothing may be added here at all. */
  function stop(said) {
    stopped = true;
    filed = said.filed || null;
    sections.forEach((section) => section.stop());
    box.querySelector("[data-added-words]").textContent = filed ? filed.words : said.error;
    box.querySelector("[data-added-kept]").hidden = !filed;
    box.querySelector("[data-added-again]").hidden = !filed;
    box.querySelector("[data-added-dossier]").hidden = Boolean(filed);
    const active = document.activeElement;
    place(active && active.closest("[data-section]"));
  }

  form.addEventListener("input", (event) => {
    if (stopped) place(event.target.closest("[data-section]"));
  });
  box.querySelector("[data-added-copy]").addEventListener("click", () => {
    const text = own().map((section) => `${section.label}\n${section.text()}`).join("\n\n");
    copyText(text).then(() => say("Texte copié."), () => say("Le texte n’a pas pu être copié : sélectionnez-le."));
  });
  box.querySelector("[data-added-again]").addEventListener("click", () => {
    stopped = false;
    known.value = filed.id;
    box.hidden = true;
    form.querySelector("[data-report-filed]").hidden = true;
    sections.forEach((section) => section.startAgain());
  });
  return { known: () => known.value, stop };
}
