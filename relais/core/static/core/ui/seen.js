/* What others wrote is read once the page is in front of somebody: they open it, come back to it, or touch it after it
   came. A page that is left open, on a tablet on its trolley, rings instead (rooms/chime.js).
   [data-read-when-seen] gets the event « seen », once. */
import { all } from "./ready.js";

const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel", "touchmove", "focusin"];

function tell() {
  const marks = all(document, "[data-read-when-seen]");
  if (document.visibilityState !== "visible" || !marks.length) {
    return;
  }
  marks.forEach((mark) => {
    mark.removeAttribute("data-read-when-seen"); // once
    mark.removeAttribute("data-waiting-label");
    mark.dispatchEvent(new Event("seen"));
  });
  document.dispatchEvent(new Event("relais:waiting"));
}

// htmx has bound what it loads by then: the page that somebody opened, not what comes into it by itself.
document.addEventListener("htmx:load", (event) => event.target === document.body && tell());
document.addEventListener("visibilitychange", tell);
TOUCHES.forEach((touch) => document.addEventListener(touch, tell, { passive: true }));
