/* Short notices: `toast("Rendez-vous déplacé.", "ok")`, an HX-Trigger header {"relais:toast": {"text", "state"}},
   the notices of the page (closed by their cross, read out once), and what to say when a refetch fails. */

import { all, onContent } from "./ready.js";

const WORDS = {
  offline: "La page n’a pas pu être mise à jour. Ce qui est saisi est gardé. Vérifiez la connexion, puis réessayez.",
  expired: "Votre session a expiré. Ce qui est saisi est gardé : rechargez la page, puis recommencez.",
  close: "Fermer ce message",
};

export function announce(text, urgent) {
  const region = document.getElementById(urgent ? "relais-live-urgent" : "relais-live");
  if (region) {
    region.textContent = "";
    setTimeout(() => {
      region.textContent = text;
    }, 150);
  }
}

export function toast(text, state) {
  const place = document.querySelector("[data-toasts]");
  if (!place || Array.from(place.children).some((other) => other.dataset.text === text)) {
    return;
  }
  const kind = state || "info";
  const box = document.createElement("div");
  box.className = `notice notice-${kind}`;
  box.dataset.text = text;
  const body = document.createElement("div");
  body.className = "notice-body";
  body.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-icon";
  close.setAttribute("aria-label", WORDS.close);
  close.textContent = "×";
  close.addEventListener("click", () => box.remove());
  box.appendChild(body);
  box.appendChild(close);
  place.appendChild(box);
  announce(text, kind === "danger");
  if (kind === "ok" || kind === "info") {
    setTimeout(() => box.remove(), 8000);
  }
}

onContent((root) => {
  const said = all(root, "[data-notice]").filter((notice) => notice.dataset.bound !== "true");
  said.forEach((notice) => {
    notice.dataset.bound = "true";
    const close = notice.querySelector("[data-notice-close]");
    if (close) {
      close.hidden = false;
      close.addEventListener("click", () => notice.remove());
    }
  });
  if (said.length) {
    announce(said.map((notice) => notice.querySelector(".notice-body").textContent.trim()).join(" "), false);
  }
});

document.addEventListener("relais:toast", (event) => toast(event.detail.text, event.detail.state));

document.addEventListener("htmx:responseError", (event) => {
  const xhr = event.detail.xhr;
  if (xhr.status === 409) {
    const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const sentence = answer.querySelector("[data-refused]");
    toast(sentence ? sentence.textContent.trim() : WORDS.offline, "danger");
  } else if (xhr.status === 403 || xhr.status === 401) {
    toast(WORDS.expired, "warning");
  } else if (event.detail.requestConfig.verb !== "get") {
    toast(WORDS.offline, "danger");
  }
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig.verb !== "get") {
    toast(WORDS.offline, "danger");
  }
});
