/* The side panel: messages, people, dossier. One is open at a time; unread messages are counted while theirs is not. */

import { every, find, show } from "./page.js";

let current = "";
let read = 0;

function aside() {
  return find(".call-panel");
}

function lines() {
  return every("#room-lines [data-line]").length;
}

function count() {
  const log = find("#room-lines");
  if (current === "lines") {
    read = lines();
    log.scrollTop = log.scrollHeight;
  }
  const unread = Math.max(0, lines() - read);
  const mark = find("[data-unread]");
  show(mark, unread > 0);
  mark.textContent = unread === 1 ? "1 nouveau" : `${unread} nouveaux`;
}

/** Open the panel of that name, or close it with "". */
export function open(name) {
  current = name;
  show(aside(), name !== "");
  find("[data-room]").closest(".call").classList.toggle("has-panel", name !== "");
  every("[data-panel]").forEach((panel) => {
    show(panel, panel.dataset.panel === name);
    if (panel.dataset.panel === name) {
      find("[data-panel-title]").textContent = panel.dataset.title;
    }
  });
  every("[data-panel-open]").forEach((button) => {
    button.setAttribute("aria-expanded", String(button.dataset.panelOpen === name));
  });
  count();
  if (name === "people") {
    find("#room-people").dispatchEvent(new CustomEvent("live", { bubbles: true, detail: { topic: "", urgent: true } }));
  }
}

/** On a telephone the panel lies over the picture: put it away for what cannot wait. */
export function uncover() {
  if (current && window.innerWidth <= 900) {
    open("");
  }
}

/** Make the buttons work. The panel that `first` names is open from the start. */
export function bind(first) {
  every("[data-panel-open]").forEach((button) => {
    button.addEventListener("click", () => {
      const name = button.dataset.panelOpen;
      open(current === name ? "" : name);
      const field = current === "lines" ? find("#room-text") : null;
      if (field) {
        field.focus();
      }
    });
  });
  find("[data-panel-close]").addEventListener("click", () => {
    const opener = find(`[data-panel-open="${current}"]`);
    open("");
    opener.focus();
  });
  // While a call begins the room pings often: a list that nobody sees is fetched when it is opened.
  const ignore = (event) => {
    if (current !== "people") {
      event.stopPropagation();
    }
  };
  find("[data-panel=people]").addEventListener("live", ignore, true);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "room-lines") {
      count();
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.matches("[data-say], [data-clear]") && event.detail.successful) {
      event.target.reset();
    }
  });
  find("#room-text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      find("[data-say] button").click();
    }
  });
  read = lines();
  open(first);
}
