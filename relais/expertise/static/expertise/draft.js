// A request being written: saved as one types, and when the page is left.

import { all, onContent } from "../core/ui/ready.js";

const PAUSE = 800; // milliseconds after the last key

function bind(form) {
  const status = form.querySelector("[data-draft-status]");
  let waiting = null;
  let dirty = false;

  function save(leaving) {
    if (!dirty) return;
    dirty = false;
    clearTimeout(waiting);
    const options = { method: "POST", body: new FormData(form), credentials: "same-origin", keepalive: leaving === true };
    fetch(form.dataset.expertiseDraft, options)
      .then((answer) => answer.json().then((said) => ({ ok: answer.ok, said })))
      .then(({ ok, said }) => {
        status.textContent = ok ? `Brouillon enregistré à ${said.saved}.` : said.error;
      })
      .catch(() => {
        dirty = true;
        status.textContent = "Brouillon non enregistré : la connexion manque. Votre saisie reste dans cette page.";
      });
  }

  function later() {
    dirty = true;
    clearTimeout(waiting);
    waiting = setTimeout(save, PAUSE);
  }

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    dirty = false;
  });
  window.addEventListener("pagehide", () => save(true));
}

onContent((root) => {
  all(root, "form[data-expertise-draft]").forEach((form) => {
    if (!form.dataset.draftingBound) {
      form.dataset.draftingBound = "true";
      bind(form);
    }
  });
});
