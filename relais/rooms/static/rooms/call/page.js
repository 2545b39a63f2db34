/* Small tools of the page: finding elements, showing them, saying sentences that the server wrote. */

export function find(selector) {
  return document.querySelector(selector);
}

export function every(selector) {
  return Array.from(document.querySelectorAll(selector));
}

export function show(element, visible) {
  if (element) {
    element.hidden = !visible;
  }
}

/** The sentence named `key` of the page's <template data-texts>, with {name} filled in; "" when there is none. */
export function text(key, name) {
  const found = find("[data-texts]").content.querySelector(`[data-text="${key}"]`);
  return found ? found.textContent.replace("{name}", name || "") : "";
}

/** An element with a class and a text. */
export function make(tag, className, words) {
  const element = document.createElement(tag);
  if (className) {
    element.className = className;
  }
  if (words) {
    element.textContent = words;
  }
  return element;
}

let noticeTimer = null;

/** A sentence over the picture, read aloud; gone after eight seconds unless it must `stay`. */
export function say(words, stay) {
  const slot = find("[data-notice-slot]");
  clearTimeout(noticeTimer);
  slot.textContent = words;
  if (words && !stay) {
    noticeTimer = setTimeout(() => {
      slot.textContent = "";
    }, 8000);
  }
}
