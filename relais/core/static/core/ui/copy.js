/* <button data-copy="#id" data-copied="…">: copies the text of an element and says so. Hidden until this runs. */

import { copyText } from "./clipboard.js";

Array.from(document.querySelectorAll("[data-copy]")).forEach((button) => {
  const label = button.querySelector("span");
  const before = label.textContent;
  button.hidden = false;
  button.addEventListener("click", () => {
    const source = document.querySelector(button.dataset.copy);
    copyText(source.textContent.trim()).then(
      () => {
        label.textContent = button.dataset.copied;
        document.getElementById("relais-live").textContent = button.dataset.copied;
        setTimeout(() => {
          label.textContent = before;
        }, 3000);
      },
      () => {
        const range = document.createRange();
        range.selectNodeContents(source);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
      },
    );
  });
});
