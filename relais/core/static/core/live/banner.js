/* Says that what the page shows has stopped being live: silence must never look like calm. */

import { serverNow } from "../ui/countdown.js";
import { afterPress } from "../ui/press.js";

const PATIENCE = 5000;
const TOLD_AGAIN = 150000; // the server says each minute that its scheduler is late: silence means that it no longer is
let timer = null;
let since = null;
let lateTimer = null;
let stale = false; // this page must be loaded again, however well the stream of the others goes

function slot() {
  return document.getElementById("relais-banner");
}

function clock(moment) {
  return new Date(moment).toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Paris" });
}

function show(sentence, action) {
  afterPress(() => draw(sentence, action));
}

function hide() {
  afterPress(clear);
}

function boxOf(sentence) {
  const box = document.createElement("div");
  box.className = "notice notice-warning";
  const text = document.createElement("p");
  text.className = "notice-body";
  text.textContent = sentence;
  box.appendChild(text);
  return box;
}

function draw(sentence, action) {
  clear();
  const place = slot();
  if (!place) {
    return;
  }
  const box = boxOf(sentence);
  box.dataset.liveBanner = "";
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-secondary btn-sm";
    button.textContent = action;
    button.addEventListener("click", () => window.location.reload());
    box.appendChild(button);
  }
  place.appendChild(box);
}

function clear() {
  Array.from(document.querySelectorAll("[data-live-banner]")).forEach((box) => box.remove());
}

/** The stream is gone: after five seconds the page says so, with the time of what it shows. */
export function down() {
  if (since !== null || stale) {
    return;
  }
  since = serverNow();
  timer = setTimeout(() => {
    show(`Connexion perdue : les informations affichées datent de ${clock(since)}. Nouvelle tentative…`);
  }, PATIENCE);
}

/** The stream is back. */
export function up() {
  if (stale) {
    return;
  }
  clearTimeout(timer);
  since = null;
  hide();
}

function clearLate() {
  Array.from(document.querySelectorAll("[data-late-banner]")).forEach((box) => box.remove());
}

/** The scheduler is late while this page stays open; a page that was drawn so says it already. */
export function late() {
  clearTimeout(lateTimer);
  lateTimer = setTimeout(() => afterPress(clearLate), TOLD_AGAIN);
  afterPress(() => {
    const place = slot();
    if (place && !place.querySelector(".notice:not([data-live-banner])")) {
      const box = boxOf("Les rappels ont du retard : les tâches automatiques ne répondent plus. Prévenez le support.");
      box.dataset.lateBanner = "";
      place.appendChild(box);
    }
  });
}

/** The session or the access has ended: nothing will come any more. */
export function out() {
  clearTimeout(timer);
  show("Votre session est terminée : cette page n’est plus à jour.", "Recharger la page");
}

/** What this page watches has expired: it was opened a day or two ago. */
export function old() {
  clearTimeout(timer);
  stale = true;
  show("Cette page est ouverte depuis plus d’un jour : elle n’est plus à jour.", "Recharger la page");
}
