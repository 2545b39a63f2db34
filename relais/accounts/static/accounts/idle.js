/* The session's clock, on every page of a professional. Who types, clicks or calls is there, and the server is told
   once a minute at most; two minutes before the end a question is asked; at the end the page gives way to the
   sign-in, which leads back here (draft.js keeps what was typed).

   <meta name="relais-session" content="address" data-left="seconds" data-sign-in="address">
   Other modules say that someone is there with the event `relais:activity` on document (a call under way). */

const WARN = 120; // seconds before the end
const TELL_EVERY = 60;
const LOOK_EVERY = 10; // while the question is open, or the network fails

const meta = document.querySelector('meta[name="relais-session"]');
let ends = 0; // when the session ends, on this page's clock (ms)
let told = Date.now();
let timer = 0;
let dialog = null;
let ticking = 0;

function secondsLeft() {
  return Math.max(0, Math.round((ends - Date.now()) / 1000));
}

function leave() {
  const here = window.location.pathname + window.location.search;
  window.location.assign(`${meta.dataset.signIn}?next=${encodeURIComponent(here)}`);
}

async function talk(method) {
  const headers = { Accept: "application/json" };
  if (method === "POST") {
    headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
  } else {
    headers["X-Background"] = "1";
  }
  const answer = await fetch(meta.content, { method, headers, credentials: "same-origin" });
  if (!answer.ok) {
    throw new Error(`session: ${answer.status}`);
  }
  return (await answer.json()).left;
}

function wait(seconds) {
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(1, seconds) * 1000);
}

function know(left) {
  ends = Date.now() + left * 1000;
  if (left <= 0) {
    leave();
  } else if (left <= WARN + 5) {
    warn();
    wait(Math.min(LOOK_EVERY, left));
  } else {
    calm();
    wait(left - WARN);
  }
}

async function look() {
  try {
    know(await talk("GET"));
  } catch (error) {
    wait(LOOK_EVERY);
  }
}

async function stay() {
  told = Date.now();
  try {
    know(await talk("POST"));
  } catch (error) {
    look();
  }
}

function build() {
  dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-labelledby", "idle-title");
  dialog.setAttribute("aria-describedby", "idle-text");
  dialog.innerHTML =
    '<div class="confirm-body"><p class="confirm-title" id="idle-title">Toujours là ?</p>' +
    '<p class="confirm-text" id="idle-text">Sans action de votre part, vous serez déconnecté dans deux minutes. ' +
    "Ce que vous avez saisi sera retrouvé à la connexion suivante.</p>" +
    '<p aria-hidden="true"><strong data-idle-count></strong></p>' +
    '<div class="confirm-actions"><button type="button" class="btn btn-primary">Rester connecté</button></div></div>';
  dialog.querySelector("button").addEventListener("click", stay);
  dialog.addEventListener("cancel", stay);
  document.body.appendChild(dialog);
}

function tick() {
  const left = secondsLeft();
  const seconds = left % 60;
  dialog.querySelector("[data-idle-count]").textContent = `${Math.floor(left / 60)}:${seconds < 10 ? "0" : ""}${seconds}`;
  if (left === 0) {
    clearInterval(ticking);
    look();
  }
}

function warn() {
  if (!dialog) {
    build();
  }
  if (dialog.hasAttribute("open")) {
    return;
  }
  if (dialog.showModal) {
    dialog.showModal();
  } else {
    dialog.setAttribute("open", "");
  }
  dialog.querySelector("button").focus();
  tick();
  ticking = setInterval(tick, 1000);
}

function calm() {
  clearInterval(ticking);
  if (dialog && dialog.hasAttribute("open")) {
    if (dialog.close) {
      dialog.close();
    } else {
      dialog.removeAttribute("open");
    }
  }
}

function act() {
  const asked = dialog && dialog.hasAttribute("open");
  if (!asked && Date.now() - told > TELL_EVERY * 1000) {
    stay();
  }
}

if (meta) {
  know(Number(meta.dataset.left));
  ["pointerdown", "touchstart", "keydown", "relais:activity"].forEach((name) => {
    document.addEventListener(name, act, { passive: true });
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      look();
    }
  });
}
