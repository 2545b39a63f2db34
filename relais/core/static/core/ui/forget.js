/* Leaving a patient's space forgets what this device keeps for days without network, whatever page one leaves from.
   Pages that keep it ([data-offline]) see to it themselves: they first try to send. A professional who signs out
   (data-sign-out="id") leaves nothing of theirs on a shared tablet; what a colleague wrote waits for them. */

import { storeOf, supported } from "../offline/store.js";

const NAME = "relais-suivi";
const LOST = "Des réponses ne sont pas encore parties. Si vous quittez votre espace, elles seront effacées de ce téléphone.";
const UNSENT = "Une demande de liaison n’est pas partie. Si vous vous déconnectez, elle est effacée de cette tablette.";
const UNFINISHED =
  "Une demande de liaison n’est pas terminée, et n’est que sur cette tablette. Si vous vous déconnectez, elle est effacée.";

/* Answers that wait to be sent. */
function waiting() {
  return new Promise((resolve) => {
    const request = window.indexedDB.open(NAME);
    request.onerror = () => resolve(0);
    request.onsuccess = () => {
      const base = request.result;
      if (!base.objectStoreNames.contains("held")) {
        base.close();
        resolve(0);
        return;
      }
      base.transaction("held").objectStore("held").getAll().onsuccess = (event) => {
        base.close();
        resolve(event.target.result.filter((record) => record.kind === "queued" && !record.refused).length);
      };
    };
  });
}

function wipe() {
  return new Promise((resolve) => {
    const request = window.indexedDB.deleteDatabase(NAME);
    request.onsuccess = request.onerror = request.onblocked = resolve;
  });
}

async function leave(form) {
  if ((await waiting()) && !window.confirm(LOST)) {
    return;
  }
  await wipe();
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.indexOf(NAME) === 0).map((name) => caches.delete(name)));
  const workers = await navigator.serviceWorker.getRegistrations();
  await Promise.all(workers.map((worker) => worker.unregister()));
  form.submit();
}

async function signOut(form) {
  const ward = storeOf("relais-liaison", "/liaison/");
  const mine = (record) => record.user === form.dataset.signOut;
  const unsent = (await ward.all("queued")).filter(mine);
  const unfinished = (await ward.all("draft")).filter(mine);
  if ((unsent.length || unfinished.length) && !window.confirm(unsent.length ? UNSENT : UNFINISHED)) {
    return;
  }
  await ward.wipe(mine);
  form.submit();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.signOut && supported() && !event.defaultPrevented) {
    event.preventDefault();
    signOut(form).catch(() => form.submit());
    return;
  }
  const here = window.location.pathname.indexOf("/p/") === 0 && !document.querySelector("[data-offline]");
  const able = window.indexedDB && "caches" in window && "serviceWorker" in navigator;
  if (form.hasAttribute("data-sign-out") && here && able && !event.defaultPrevented) {
    event.preventDefault();
    leave(form).catch(() => form.submit());
  }
});
