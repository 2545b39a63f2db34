/* Somebody waits: a sound, the title of the page, and words for screen readers. Elements with data-waiting="<id>" and
   data-waiting-label="…" are the ones who wait; a new id rings. On by default; [data-chime-toggle] turns the sound off.
   When the browser will not let a page make a sound before it was touched, the page says so. */

import { afterPress } from "../core/ui/press.js";
import { storage } from "../core/ui/ready.js";
import { announce } from "../core/ui/toast.js";

const NOTES = [660, 880];
const RATE = 16000; // samples a second
const NOTE = 0.2; // seconds from one note to the next
const LENGTH = 0.8;
const KEY = "relais-chime";
const BLOCKED = "Le navigateur bloque le son de cette page.";
const UNBLOCK = "Activer le son";
const FREE = "Le son est activé.";
const LISTEN = "Écouter";
const LONG_ENOUGH = 5000; // to read that it is
const known = new Set();
let sound = null;
let title = "";

function on() {
  const kept = storage("local");
  return !kept || kept.getItem(KEY) !== "off";
}

/* Two notes that fade, as a WAV file made here: an <audio> says by itself whether it was let to play. */
function wave() {
  const samples = Math.round(RATE * LENGTH);
  const view = new DataView(new ArrayBuffer(44 + samples * 2));
  const word = (at, letters) => Array.from(letters).forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + samples * 2, true);
  word(8, "WAVEfmt ");
  [16, 1 | (1 << 16), RATE, RATE * 2, 2 | (16 << 16)].forEach((value, index) => view.setUint32(16 + index * 4, value, true));
  word(36, "data");
  view.setUint32(40, samples * 2, true);
  for (let index = 0; index < samples; index += 1) {
    const now = index / RATE;
    const level = NOTES.reduce((sum, pitch, number) => {
      const since = now - number * NOTE;
      return since < 0 ? sum : sum + Math.sin(2 * Math.PI * pitch * since) * Math.exp(-6 * since) * Math.min(1, since * 100);
    }, 0);
    view.setInt16(44 + index * 2, Math.max(-1, Math.min(1, level * 0.45)) * 32767, true);
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}

function play(silently) {
  sound = sound || new Audio(URL.createObjectURL(wave()));
  sound.muted = silently;
  sound.currentTime = 0;
  const playing = sound.play();
  return (playing || Promise.resolve()).then(
    () => true,
    (error) => error.name !== "NotAllowedError",
  );
}

function boxes() {
  return Array.from(document.querySelectorAll("[data-chime-blocked]"));
}

function clear() {
  afterPress(() => boxes().forEach((box) => box.remove()));
}

/* In its place first: what one is about to press, perhaps twice, does not move. */
function sayFree() {
  boxes().forEach((box) => {
    box.querySelector("p").textContent = FREE;
    box.querySelector("button").textContent = LISTEN;
    setTimeout(clear, LONG_ENOUGH);
  });
}

function sayBlocked() {
  const slot = document.getElementById("relais-banner");
  boxes().forEach((box) => box.remove());
  if (!slot) {
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

/** Make the sound now, and say so when it is blocked, unless `quietly`. Answers whether it could be heard. */
export function ring(quietly) {
  if (!on()) {
    return Promise.resolve(false);
  }
  return play(false).then((free) => {
    if (free) {
      sayFree();
    } else if (!quietly) {
      afterPress(sayBlocked);
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
  const here = Array.from(document.querySelectorAll("[data-waiting-label]"));
  const ids = here.map((element) => element.dataset.waiting); // one may stand in the top bar and on a list: said once
  const fresh = here.filter((element, index) => !known.has(ids[index]) && ids.lastIndexOf(ids[index]) === index);
  known.clear();
  ids.forEach((id) => known.add(id));
  drawTitle(known.size);
  if (fresh.length) {
    announce(fresh.map((element) => element.dataset.waitingLabel).join(", "), true);
    ring();
  }
  if (!known.size) {
    clear();
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
      if (on() && (!sound || sound.paused)) {
        play(true).then((free) => free && sayFree()); // from now on it may sound without a touch
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
