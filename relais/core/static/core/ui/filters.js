/* [data-filters-toggle] opens and folds the filters that follow it on a telephone; forms.css draws both states. */

import { all, onContent } from "./ready.js";

onContent((root) => {
  all(root, "[data-filters-toggle]").forEach((button) => {
    button.onclick = () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", open ? "false" : "true");
    };
  });
});
