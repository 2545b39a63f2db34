/* The choices kept on this device: theme, width of the rail. theme.js applies them. */

import { onContent, storage } from "./ready.js";

function keep(key, value) {
  const store = storage("local");
  if (store) {
    store.setItem(key, value);
  }
  window.dispatchEvent(new Event("relais:appearance"));
}

function kept(key) {
  const store = storage("local");
  return store ? store.getItem(key) : null;
}

function isNarrow() {
  return document.documentElement.classList.contains("rail-narrow");
}

function paint() {
  const theme = kept("relais.theme") || "auto";
  Array.from(document.querySelectorAll("[data-theme-choice]")).forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  });
  const narrow = isNarrow();
  Array.from(document.querySelectorAll("[data-rail-toggle]")).forEach((button) => {
    button.hidden = false;
    button.setAttribute("aria-expanded", String(!narrow));
  });
}

onContent((root) => {
  Array.from(root.querySelectorAll("[data-needs-script]")).forEach((element) => {
    element.hidden = false;
  });
  paint();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest) {
    return;
  }
  const choice = event.target.closest("[data-theme-choice]");
  if (choice) {
    keep("relais.theme", choice.dataset.themeChoice);
    paint();
  }
  if (event.target.closest("[data-rail-toggle]")) {
    keep("relais.rail", isNarrow() ? "wide" : "narrow");
    paint();
  }
});
