/* Dialogs: [data-dialog-open="id"], [data-dialog-close], and <details data-confirm> shown as a modal question.
   Browsers without <dialog> keep the unfolding <details>; a plain dialog then opens in place. */

import { all, onContent } from "./ready.js";

const modal = "showModal" in document.createElement("dialog");
let count = 0;

function show(dialog) {
  dialog.hidden = false;
  if (modal) {
    dialog.showModal();
  } else {
    dialog.setAttribute("open", "");
    dialog.setAttribute("role", "dialog");
    dialog.focus();
  }
}

function hide(dialog) {
  if (modal) {
    dialog.close();
  } else {
    dialog.removeAttribute("open");
    dialog.hidden = true;
  }
}

function raise(details) {
  count += 1;
  const dialog = document.createElement("dialog");
  const body = details.querySelector(".confirm-body");
  const title = body.querySelector(".confirm-title");
  title.id = title.id || `confirm-title-${count}`;
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", title.id);
  details.appendChild(dialog);
  dialog.appendChild(body);
  const keep = body.querySelector("[data-confirm-keep]");
  keep.hidden = false;
  keep.addEventListener("click", () => dialog.close());
  return dialog;
}

onContent((root) => {
  all(root, "details[data-confirm]").forEach((details) => {
    if (!modal || details.dataset.confirm === "bound") {
      return;
    }
    details.dataset.confirm = "bound";
    const summary = details.querySelector("summary");
    let dialog = null;
    summary.addEventListener("click", (event) => {
      event.preventDefault();
      dialog = dialog || raise(details);
      details.open = true;
      dialog.showModal();
      dialog.addEventListener(
        "close",
        () => {
          details.open = false;
          summary.focus();
        },
        { once: true }
      );
    });
  });
});

document.addEventListener("click", (event) => {
  if (!event.target.closest) {
    return;
  }
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    const menu = opener.closest("details[data-menu]");
    if (menu) {
      menu.open = false;
    }
    show(document.getElementById(opener.dataset.dialogOpen));
  }
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) {
    hide(closer.closest("dialog"));
  }
});
