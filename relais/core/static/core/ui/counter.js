/* <textarea data-counter maxlength>: how many characters are left, said aloud only near the end. */

import { all, onContent } from "./ready.js";

function left(area) {
  return area.maxLength - area.value.length;
}

onContent((root) => {
  all(root, "textarea[data-counter]").forEach((area) => {
    if (area.maxLength < 0 || area.dataset.counter === "bound") {
      return;
    }
    area.dataset.counter = "bound";
    const line = document.createElement("span");
    line.className = "counter";
    area.parentNode.insertBefore(line, area.nextSibling);
    const write = () => {
      const count = left(area);
      const near = count <= area.maxLength / 10;
      line.textContent = count > 1 ? `${count} caractères restants` : `${count} caractère restant`;
      line.classList.toggle("is-near", near);
      line.setAttribute("aria-live", near ? "polite" : "off");
    };
    area.addEventListener("input", write);
    if (area.form) {
      area.form.addEventListener("relais:restored", write);
    }
    write();
  });
});
