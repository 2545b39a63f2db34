/* A form [data-find] searches as one types: it posts itself (what is typed stays out of addresses and logs) and shows
   the answer in its [data-find-results]. Arrows go through the links found, Escape comes back, Enter takes the only one.
   data-find="menu": the results float and close; data-find="list": they stay in the page. */

import { all, onContent } from "./ready.js";
import { announce } from "./toast.js";

const WAIT = 250;

function bind(form) {
  const input = form.querySelector("input[type=search]");
  const results = form.querySelector("[data-find-results]");
  if (form.dataset.bound === "true" || !input || !results) {
    return;
  }
  form.dataset.bound = "true";
  const floats = form.dataset.find === "menu";
  let timer = 0;
  let running = null;
  let shown = floats ? "" : input.value.trim();

  const links = () => all(results, "a[href]");

  function close() {
    if (floats) {
      results.hidden = true;
    }
  }

  function show(html) {
    results.innerHTML = html;
    results.hidden = false;
    results.setAttribute("aria-busy", "false");
    const count = results.querySelector("[data-find-count]");
    announce(count ? count.textContent.trim() : "", false);
  }

  function ask() {
    const typed = input.value.trim();
    if (running) {
      running.abort();
    }
    if (floats && !typed) {
      shown = "";
      close();
      return;
    }
    running = new AbortController();
    results.setAttribute("aria-busy", "true");
    fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "HX-Request": "true" },
      credentials: "same-origin",
      signal: running.signal,
    })
      .then((response) => {
        const away = response.headers.get("HX-Redirect");
        if (away) {
          window.location.assign(away);
        }
        return response.ok && !away ? response.text() : Promise.reject(new Error("no answer"));
      })
      .then((html) => {
        shown = typed;
        show(html);
      })
      .catch((error) => {
        if (error.name !== "AbortError") {
          shown = "";
          results.setAttribute("aria-busy", "false");
        }
      });
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("focus", () => {
    if (floats && shown && shown === input.value.trim()) {
      results.hidden = false;
    }
  });
  form.addEventListener("submit", (event) => {
    const found = links();
    if (results.hidden || shown !== input.value.trim() || !found.length) {
      return;
    }
    event.preventDefault();
    const people = found.filter((link) => link.hasAttribute("data-find-item"));
    if (people.length === 1) {
      people[0].click();
    } else {
      found[0].focus();
    }
  });
  form.addEventListener("keydown", (event) => {
    const found = links();
    const place = found.indexOf(document.activeElement);
    if (event.key === "Escape" && (place >= 0 || !results.hidden)) {
      event.preventDefault();
      input.focus();
      close();
    } else if (event.key === "ArrowDown" && !results.hidden && found.length) {
      event.preventDefault();
      found[Math.min(place + 1, found.length - 1)].focus();
    } else if (event.key === "ArrowUp" && place >= 0) {
      event.preventDefault();
      (place === 0 ? input : found[place - 1]).focus();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) {
      close();
    }
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target)) {
      close();
    }
  });
}

onContent((root) => all(root, "[data-find]").forEach(bind));
