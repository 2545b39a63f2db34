/* [data-focus] (a summary of errors) takes the focus when it appears; radio cards show which is chosen. */

import { all, onContent } from "./ready.js";

function paintCards(root) {
  all(root, ".radio-card").forEach((card) => {
    const input = card.querySelector("input");
    card.classList.toggle("is-checked", Boolean(input && input.checked));
  });
}

onContent((root) => {
  const first = all(root, "[data-focus]")[0];
  if (first) {
    first.focus();
  }
  paintCards(root);
});
document.addEventListener("change", () => paintCards(document));
document.addEventListener("relais:restored", () => paintCards(document));
