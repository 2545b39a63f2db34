/* The bar of buttons: what is on, what is off, in words. */

import * as media from "./media.js";
import { every, find, say, show, text } from "./page.js";

function button(name) {
  return find(`[data-control="${name}"]`);
}

function mark(name, on, words) {
  const control = button(name);
  control.classList.toggle("is-off", !on);
  show(control.querySelector("[data-on]"), on);
  show(control.querySelector("[data-off]"), !on);
  control.querySelector("[data-word]").textContent = words;
}

let inside = false;

function drawBar() {
  const bar = find(".call-controls");
  show(bar, Array.from(bar.children).some((control) => !control.hidden));
}

/** Words and icons of camera and microphone as they are now. */
export function draw() {
  if (!inside) {
    return;
  }
  const heard = !media.muted();
  const seen = Boolean(media.track("video"));
  mark("microphone", heard, text(heard ? "microphone-on-word" : "microphone-off-word"));
  mark("camera", seen, text(seen ? "camera-on-word" : "camera-off-word"));
  media
    .cameras()
    .then((all) => show(button("switch"), inside && seen && all.length > 1))
    .catch(() => {});
}

/** Show the bar while the call lasts. */
export function visible(now) {
  inside = now;
  every("[data-control], [data-panel-open]").forEach((control) => show(control, inside));
  show(button("switch"), false);
  show(button("full"), inside && Boolean(enter));
  drawBar();
  draw();
}

function trouble(error) {
  say(text(media.explain(error)));
}

function toggleMicrophone() {
  if (media.track("audio")) {
    media.mute(!media.muted());
  } else {
    media.open(true, false).catch(trouble);
  }
}

function toggleCamera() {
  if (media.track("video")) {
    media.stop("video");
  } else {
    media.open(false, true).catch(trouble);
  }
}

/* Full screen has other names in Safari (webkit) and in Firefox before 64 (moz). */
function first(owner, names) {
  return names.map((name) => owner[name]).filter(Boolean)[0];
}

const root = document.documentElement;
const enter = first(root, ["requestFullscreen", "webkitRequestFullscreen", "mozRequestFullScreen"]);
const exit = first(document, ["exitFullscreen", "webkitExitFullscreen", "mozCancelFullScreen"]);

function isFull() {
  return Boolean(first(document, ["fullscreenElement", "webkitFullscreenElement", "mozFullScreenElement"]));
}

function fullScreen() {
  const asked = isFull() ? exit.call(document) : enter.call(root);
  if (asked && asked.catch) {
    asked.catch(() => {});
  }
}

/** `leave()` is what Quitter does. */
export function bind(leave) {
  button("microphone").addEventListener("click", toggleMicrophone);
  button("camera").addEventListener("click", toggleCamera);
  button("switch").addEventListener("click", () => media.nextCamera().catch(trouble));
  button("full").addEventListener("click", fullScreen);
  button("leave").addEventListener("click", leave);
  ["fullscreenchange", "webkitfullscreenchange", "mozfullscreenchange"].forEach((name) => {
    document.addEventListener(name, () => button("full").setAttribute("aria-pressed", String(isFull())));
  });
}
