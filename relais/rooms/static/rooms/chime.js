/* Somebody waits: a sound, the title of the page, and words for screen readers. Elements with data-waiting="<id>" and
   data-waiting-label="…" are the ones who wait; a new id rings. On by default; [data-chime-toggle] turns the sound off.
   When the browser will not let a page make a sound before it was touched, the page says so. */

import { storage } from "../core/ui/ready.js";
import { announce } from "../core/ui/toast.js";

// eslint-disable-next-line compat/compat -- Safari 13 has the prefixed one
const Audio = window.AudioContext || window.webkitAudioContext;
const NOTES = [
  [660, 0],
  [880, 0.18],
];
const KEY = "relais-chime";
const BLOCKED = "Le navigateur bloque le son de cette page.";
const UNBLOCK = "Activer le son";
const known = new Set();
let context = null;
let title = "";

function on() {
  const kept = storage("local");
  return !kept || kept.getItem(KEY) !== "off";
}

function unlock() {
  if (!Audio) {
    return Promise.resolve(false);
  }
  context = context || new Audio();
  const waking = context.state === "suspended" ? context.resume() : Promise.resolve();
  return Promise.race([waking, new Promise((resolve) => setTimeout(resolve, 400))]).then(() => context.state === "running");
}

function play() {
  NOTES.forEach(([pitch, at]) => {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const start = context.currentTime + at;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.25, start + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.5);
    tone.connect(volume);
    volume.connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.55);
  });
}

function sayBlocked(blocked) {
  Array.from(document.querySelectorAll("[data-chime-blocked]")).forEach((box) => box.remove());
  const slot = document.getElementById("relais-banner");
  if (!blocked || !slot) {
    return;
  }
  const box = document.createElement("div");
  box.className = "notice notice-warning";
  box.dataset.chimeBlocked = "";
  const words = document.createElement("p");
  words.className = "notice-body";
  words.textContent = BLOCKED;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-secondary btn-sm";
  button.textContent = UNBLOCK;
  button.addEventListener("click", () => ring());
  box.append(words, button);
  slot.append(box);
}

/** Make the sound now. Answers whether it could be heard. */
export function ring() {
  if (!on()) {
    return Promise.resolve(false);
  }
  return unlock().then((free) => {
    sayBlocked(!free);
    if (free) {
      play();
    }
    document.dispatchEvent(new CustomEvent("relais:chime", { detail: { heard: free } }));
    return free;
  });
}

function drawTitle(count) {
  const plain = document.title.replace(/^\(\d+\) [^·]* · /, "");
  title = plain || title;
  document.title = count ? `(${count}) En attente · ${title}` : title;
}

/** Look who waits now; whoever is new rings. */
export function look() {
  const here = Array.from(document.querySelectorAll("[data-waiting]"));
  const fresh = here.filter((element) => !known.has(element.dataset.waiting));
  known.clear();
  here.forEach((element) => known.add(element.dataset.waiting));
  drawTitle(known.size);
  if (fresh.length) {
    announce(fresh.map((element) => element.dataset.waitingLabel).join(", "), true);
    ring();
  }
  if (!known.size) {
    sayBlocked(false);
  }
}

function drawToggle() {
  Array.from(document.querySelectorAll("[data-chime-toggle]")).forEach((button) => {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(on()));
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chime-toggle]");
  const kept = storage("local");
  if (button && kept) {
    kept.setItem(KEY, on() ? "off" : "on");
    drawToggle();
    if (on()) {
      ring();
    }
  }
});
["pointerdown", "keydown"].forEach((gesture) => {
  document.addEventListener(
    gesture,
    () => {
      if (on()) {
        unlock().then((free) => free && sayBlocked(false));
      }
    },
    { once: true },
  );
});
document.addEventListener("htmx:afterSettle", look);
document.addEventListener("htmx:load", drawToggle);
document.addEventListener("relais:waiting", look);
drawToggle();
look();
