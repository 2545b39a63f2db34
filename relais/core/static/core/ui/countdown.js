/* [data-until] counts down to a promise, [data-since] says how old a figure is: every 15 s and on the moment, by the
   server's clock.
   The words are those of relais/core/times.py. */

import { onContent } from "./ready.js";

const meta = document.querySelector('meta[name="relais-now"]');
const offset = meta && meta.content ? Date.parse(meta.content) - Date.now() : 0;
const DAY = 24 * 60;

/** Milliseconds since 1970 by the server's clock. */
export function serverNow() {
  return Date.now() + offset;
}

function span(minutes) {
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest ? ` ${rest < 10 ? "0" : ""}${rest}` : ""}`;
}

/** The words until `moment` (ms), or null beyond a day: the server's words then stand. */
export function until(moment, now) {
  const seconds = (moment - now) / 1000;
  const minutes = seconds > 0 ? Math.ceil(seconds / 60) : Math.floor(seconds / 60) + 1;
  if (Math.abs(minutes) >= DAY) {
    return null;
  }
  if (minutes === 0) {
    return "maintenant";
  }
  return (minutes > 0 ? "dans " : "depuis ") + span(Math.abs(minutes));
}

/** The words since `moment` (ms), or null beyond a day. */
export function since(moment, now) {
  const minutes = Math.floor((now - moment) / 60000);
  if (minutes < 0 || minutes >= DAY) {
    return null;
  }
  return minutes < 1 ? "à l’instant" : `il y a ${span(minutes)}`;
}

function write(element, words) {
  if (words !== null && element.textContent !== words) {
    element.textContent = words;
  }
}

const EVERY = 15000;
const told = new Set(); // moments, not elements: what is fetched again when one has come names it again

function tick() {
  const now = serverNow();
  Array.from(document.querySelectorAll("[data-until]")).forEach((element) => {
    const moment = Date.parse(element.dataset.until);
    write(element, until(moment, now));
    if (now >= moment && !told.has(moment)) {
      told.add(moment);
      element.dispatchEvent(new CustomEvent("relais:reached", { bubbles: true }));
    } else if (now < moment && moment - now < EVERY) {
      setTimeout(tick, moment - now + 50); // to the second
    }
  });
  Array.from(document.querySelectorAll("[data-since]")).forEach((element) => {
    write(element, since(Date.parse(element.dataset.since), now));
  });
}

onContent(tick);
setInterval(tick, EVERY);
document.addEventListener("visibilitychange", tick);
