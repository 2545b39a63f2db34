/* Leaving a patient's space forgets what this device keeps for days without network, whatever page one leaves from.
   Pages that keep it ([data-offline]) see to it themselves: they first try to send. */

const NAME = "relais-suivi";
const LOST = "Des réponses ne sont pas encore parties. Si vous quittez votre espace, elles seront effacées de ce téléphone.";

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

document.addEventListener("submit", (event) => {
  const form = event.target;
  const here = window.location.pathname.indexOf("/p/") === 0 && !document.querySelector("[data-offline]");
  const able = window.indexedDB && "caches" in window && "serviceWorker" in navigator;
  if (form.hasAttribute("data-sign-out") && here && able && !event.defaultPrevented) {
    event.preventDefault();
    leave(form).catch(() => form.submit());
  }
});
