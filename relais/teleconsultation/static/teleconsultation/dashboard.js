// The dashboard's ear: a sound, the title and a mark when a patient enters the waiting room.
import { ring } from "/static/rooms/chime.js";

const known = new Set();

function look(first) {
  const rows = document.querySelectorAll("[data-waiting]");
  const waiting = new Set();
  rows.forEach((row) => waiting.add(row.dataset.waiting));
  let fresh = 0;
  waiting.forEach((id) => {
    if (!known.has(id)) fresh += 1;
  });
  known.clear();
  waiting.forEach((id) => known.add(id));
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = waiting.size ? "(" + waiting.size + ") " + title : title;
  if (fresh && !first) ring();
}

look(true);
document.addEventListener("htmx:afterSwap", () => look(false));
