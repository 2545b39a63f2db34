/* What was written is read once the page is in front of somebody, not in a tab that was left open: [data-read-when-seen] gets
   the event « seen », once. */
import { all } from "./ready.js";

function tell() {
  if (document.visibilityState !== "visible") {
    return;
  }
  all(document, "[data-read-when-seen]").forEach((notes) => {
    notes.removeAttribute("data-read-when-seen"); // once
    notes.dispatchEvent(new Event("seen"));
  });
}

// htmx has bound what it loads by then.
document.addEventListener("htmx:load", tell);
document.addEventListener("visibilitychange", tell);
