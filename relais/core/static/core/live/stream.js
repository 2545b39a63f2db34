/* [data-live="<signed topics>"] gets a `live` event (detail: topic, urgent) for each ping, and after a lost line.
   htmx refetches on it: hx-trigger="live consume". A form that someone fills in, or has opened, is never replaced: a
   mark waits above it.
   [data-live-hold] makes changes that are not urgent wait behind that mark too. [data-live-alone] anywhere in the page
   gives it a stream of its own. */

import { serverNow } from "../ui/countdown.js";
import { afterPress, isPressed } from "../ui/press.js";
import { all, onContent } from "../ui/ready.js";
import * as banner from "./banner.js";
import { alone, shared } from "./share.js";

const TYPING = "input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit]), textarea, select, [contenteditable]";
const MARGIN = 2; // seconds: clocks, and the time a page takes to come
const SPREAD = 1500;
const url = window.location.pathname.indexOf("/p/") === 0 ? "/live/p/stream" : "/live/stream";
const waiting = new Map(); // element -> number of pings held back
let stream = null;
let known = "";

function topicsOf(element) {
  return element.dataset.live.split(":").slice(0, -2).join(":").split(" "); // without day and signature
}

function changed(field) {
  if (field.type === "file") {
    return field.files.length > 0;
  }
  if (field.type === "checkbox" || field.type === "radio") {
    return field.checked !== field.defaultChecked;
  }
  if (field.matches("select")) {
    return Array.from(field.options).some((option, index) => option.selected !== (option.defaultSelected || (index === 0 && !field.querySelector("[selected]"))));
  }
  return field.type !== "hidden" && field.value !== field.defaultValue;
}

/* What a refetch replaces: the element itself, or the one that its hx-target names. */
function replaced(element) {
  const target = element.getAttribute("hx-target") || "";
  return (target[0] === "#" && document.querySelector(target)) || element;
}

function busy(element) {
  const active = document.activeElement;
  if (active && element.contains(active) && active.matches(TYPING)) {
    return true;
  }
  if (element.querySelector("dialog[open], details[data-confirm][open], details[open] form[method=post]")) {
    return true;
  }
  // What was typed or chosen and not sent yet is kept too, wherever the focus is now.
  const fields = "form[method=post] :enabled:not(button):not(option), :enabled[form]:not(button)";
  return Array.from(element.querySelectorAll(fields)).some(changed);
}

function markOf(element) {
  const before = element.previousElementSibling;
  return before && before.matches("[data-live-mark]") ? before : null;
}

function hold(element) {
  const count = (waiting.get(element) || 0) + 1;
  waiting.set(element, count);
  let mark = markOf(element);
  if (!mark) {
    mark = document.createElement("button");
    mark.type = "button";
    mark.className = "new-mark live-mark";
    mark.dataset.liveMark = "";
    mark.addEventListener("click", () => release(element, { topic: "", urgent: false, asked: true }));
    element.parentNode.insertBefore(mark, element);
  }
  mark.textContent = count === 1 ? "1 nouveauté : afficher" : `${count} nouveautés : afficher`;
}

function release(element, detail) {
  const mark = markOf(element);
  if (mark) {
    mark.remove();
  }
  waiting.delete(element);
  element.dispatchEvent(new CustomEvent("live", { bubbles: true, detail }));
}

function deliver(element, detail) {
  afterPress(() => {
    if (!element.isConnected) {
      return;
    }
    if (busy(replaced(element)) || (element.matches("[data-live-hold]") && !detail.urgent)) {
      hold(element);
    } else {
      release(element, detail);
    }
  });
}

function each(work) {
  Array.from(document.querySelectorAll("[data-live]")).forEach(work);
}

const tell = {
  up() {
    banner.up();
    document.dispatchEvent(new CustomEvent("relais:beat"));
  },
  down: banner.down,
  late: banner.late,
  out: banner.out,
  old(tokens) {
    if (Array.from(document.querySelectorAll("[data-live]")).some((element) => tokens.indexOf(element.dataset.live) >= 0)) {
      banner.old();
    }
  },
  again() {
    setTimeout(() => each((element) => deliver(element, { topic: "", urgent: false })), Math.random() * SPREAD);
  },
  ping(topic, urgent) {
    each((element) => {
      if (topicsOf(element).indexOf(topic) >= 0) {
        deliver(element, { topic, urgent });
      }
    });
  },
};

const watched = {};

function watch(root) {
  const now = serverNow() / 1000 - MARGIN;
  all(root, "[data-live]").forEach((element) => {
    if (!(element.dataset.live in watched)) {
      watched[element.dataset.live] = Number(now.toFixed(3));
    }
  });
  const wanted = Object.keys(watched).sort().join("&");
  if (!wanted || wanted === known) {
    return;
  }
  known = wanted;
  if (!stream) {
    stream = (document.querySelector("[data-live-alone]") ? alone : shared)(url, tell);
  }
  stream.update(Object.assign({}, watched));
}

function fromLive(config) {
  return Boolean(config && config.triggeringEvent && config.triggeringEvent.type === "live");
}

document.addEventListener("htmx:configRequest", (event) => {
  if (fromLive(event.detail)) {
    event.detail.headers["X-Background"] = "1"; // nobody acted: the session's idle time goes on
  }
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  const config = event.detail.requestConfig;
  if (!event.detail.shouldSwap || !fromLive(config)) {
    return;
  }
  const element = event.detail.elt.closest("[data-live]") || target;
  if (isPressed()) {
    event.detail.shouldSwap = false;
    deliver(element, config.triggeringEvent.detail);
  } else if (!config.triggeringEvent.detail.asked && busy(target)) {
    event.detail.shouldSwap = false;
    hold(element);
  }
});

document.addEventListener("focusout", () => {
  setTimeout(() => {
    waiting.forEach((_count, element) => {
      if (!element.isConnected) {
        waiting.delete(element);
      } else if (!busy(replaced(element)) && !element.matches("[data-live-hold]")) {
        release(element, { topic: "", urgent: false });
      }
    });
  }, 300);
});
onContent(watch);
