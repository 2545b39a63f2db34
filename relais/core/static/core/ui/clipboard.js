/* Copying a text, where the browser has no clipboard for this page too (plain http, Safari before 13.1). */

/** A promise that is rejected when the text could not be copied. */
export function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    return navigator.clipboard.writeText(text);
  }
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "visually-hidden";
  document.body.appendChild(area);
  area.select();
  const done = document.execCommand("copy");
  area.parentNode.removeChild(area);
  if (before) {
    before.focus();
  }
  return done ? Promise.resolve() : Promise.reject(new Error("copy"));
}
