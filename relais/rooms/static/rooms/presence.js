/* Says every ten seconds that this page is open. [data-presence-url] with data-about and data-place does it by itself;
   the call says so in its own way. Hidden pages have slow clocks: the stream's sign of life wakes them. */

import { all, onContent } from "../core/ui/ready.js";
import { farewell, postForm } from "./call/server.js";

const EVERY = 10000;
const beating = new Map(); // about and place -> {url, fields, last}

function beat(one) {
  one.last = Date.now();
  postForm(one.url, one.fields);
}

function due() {
  beating.forEach((one) => {
    if (Date.now() - one.last >= EVERY - 1500) {
      beat(one);
    }
  });
}

/** Say from now on that one is at `place` about `about`. Answers what stops it. */
export function stayAt(url, about, place) {
  const key = `${about} ${place}`;
  const one = { url, fields: { about, place }, last: 0 };
  beating.set(key, one);
  beat(one);
  return () => {
    if (beating.delete(key)) {
      farewell(url, Object.assign({ left: "1" }, one.fields));
    }
  };
}

setInterval(due, EVERY);
document.addEventListener("relais:beat", due);
window.addEventListener("pagehide", () => {
  beating.forEach((one) => farewell(one.url, Object.assign({ left: "1" }, one.fields)));
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    beating.forEach(beat);
  }
});
onContent((root) => {
  all(root, "[data-presence-url]").forEach((element) => {
    const { presenceUrl, about, place } = element.dataset;
    if (!beating.has(`${about} ${place}`)) {
      stayAt(presenceUrl, about, place);
    }
  });
});
