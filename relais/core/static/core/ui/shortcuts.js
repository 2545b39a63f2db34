/* `/` goes to the search, `?` shows the list. Can be switched off, since one key alone may be typed by accident. */

import { onContent, storage } from "./ready.js";

const KEY = "relais.shortcuts";

function wanted() {
  const store = storage("local");
  return !store || store.getItem(KEY) !== "off";
}

function typing(element) {
  return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !wanted()) {
    return;
  }
  if (document.querySelector("dialog[open]")) {
    return;
  }
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (event.key === "?") {
    const list = document.querySelector('[data-dialog-open="shortcuts"]');
    if (list) {
      event.preventDefault();
      list.click();
    }
  }
});

onContent((root) => {
  const box = root.querySelector("[data-shortcuts-on]");
  if (box) {
    box.checked = wanted();
    box.addEventListener("change", () => {
      const store = storage("local");
      if (store) {
        store.setItem(KEY, box.checked ? "on" : "off");
      }
    });
  }
});
