/* <form data-draft="name">: what is typed survives a lost session or an expired token, in this tab alone.
   Never passwords, codes or files. Wiped when the form was accepted, and on sign-out.

   Kept as {fields, sent}: `sent` is "" (typed), "sent" (posted, answer unknown) or "lost" (the answer was a page
   marked data-draft-keep: sign-in, expired token). */

import { all, onContent, storage } from "./ready.js";

const PREFIX = "relais.draft.";
const SECRET = /^(password|file|hidden|submit|button|reset|image)$/;

function keyOf(form) {
  return `${PREFIX}${window.location.pathname}#${form.dataset.draft || "form"}`;
}

function read(key) {
  try {
    return JSON.parse(storage("session").getItem(key));
  } catch (error) {
    return null;
  }
}

function write(key, value) {
  try {
    storage("session").setItem(key, JSON.stringify(value));
  } catch (error) {
    // A full or closed store loses the draft, never the page.
  }
}

function keys() {
  const store = storage("session");
  return store ? Object.keys(store).filter((key) => key.indexOf(PREFIX) === 0) : [];
}

export function wipe() {
  keys().forEach((key) => storage("session").removeItem(key));
}

function kept(input) {
  return input.name && !SECRET.test(input.type) && input.autocomplete !== "one-time-code";
}

function collect(form) {
  return Array.from(form.elements)
    .filter(kept)
    .filter((input) => !/^(checkbox|radio)$/.test(input.type) || input.checked)
    .map((input) => [input.name, input.value]);
}

function restore(form, fields) {
  Array.from(form.elements)
    .filter(kept)
    .forEach((input) => {
      const values = fields.filter((field) => field[0] === input.name).map((field) => field[1]);
      if (/^(checkbox|radio)$/.test(input.type)) {
        input.checked = values.indexOf(input.value) >= 0;
      } else if (values.length) {
        input.value = values[0];
      }
    });
  form.dispatchEvent(new CustomEvent("relais:restored", { bubbles: true }));
}

function differs(form, fields) {
  return JSON.stringify(collect(form)) !== JSON.stringify(fields);
}

function meet(form) {
  const key = keyOf(form);
  const draft = read(key);
  if (!draft) {
    return;
  }
  const refused = form.querySelector(".has-error, .error-summary");
  if (draft.sent === "sent" && !refused) {
    storage("session").removeItem(key);
    return;
  }
  if (refused) {
    write(key, { fields: draft.fields, sent: "" });
    return;
  }
  if (differs(form, draft.fields)) {
    restore(form, draft.fields);
    document.dispatchEvent(
      new CustomEvent("relais:toast", { detail: { text: "Votre saisie a été retrouvée. Vérifiez-la avant d’envoyer.", state: "info" } })
    );
  }
}

function settle() {
  const here = Array.from(document.querySelectorAll("form[data-draft]")).map(keyOf);
  const held = document.querySelector("[data-draft-keep]");
  keys().forEach((key) => {
    const draft = read(key);
    if (!draft || draft.sent !== "sent" || here.indexOf(key) >= 0) {
      return;
    }
    if (held) {
      write(key, { fields: draft.fields, sent: "lost" });
    } else {
      storage("session").removeItem(key);
    }
  });
}

onContent((root) => {
  if (root === document) {
    settle();
  }
  all(root, "form[data-draft]").forEach((form) => {
    if (form.dataset.draftBound) {
      return;
    }
    form.dataset.draftBound = "true";
    meet(form);
    const save = () => write(keyOf(form), { fields: collect(form), sent: "" });
    form.addEventListener("input", save);
    form.addEventListener("change", save);
  });
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("data-sign-out")) {
    wipe();
  } else if (form.hasAttribute("data-draft") && !event.defaultPrevented) {
    write(keyOf(form), { fields: collect(form), sent: "sent" });
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (event.detail.successful && form.hasAttribute("data-draft")) {
    storage("session").removeItem(keyOf(form));
  }
});
