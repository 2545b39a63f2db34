/* The service worker of pages that work without network: the network always comes first; without it, the shell opens in
   the place of each page of its scope, with the files and the questions that were kept. Nothing of a patient is kept here.
   `self.RELAIS` = {name, version, files, shell, state}: `name` is that of the store (store.js), `state` an address that
   says 410 when a way in has ended for good, "" where none does. */

const GIVEN = self.RELAIS;
const SHELVES = `${GIVEN.name}-`;
const SHELF = SHELVES + GIVEN.version;
const FORMS = `${SHELVES}forms`;
const PATIENCE = 20000; // ms that a page may take before the shell opens in its place
const PATIENCE_FILES = 4000; // the same of a file of the shell, before the one that is kept
const DOWN = [502, 503, 504]; // what stands before the site says that the site is not there

self.addEventListener("install", (event) => {
  const keep = async () => {
    const shelf = await caches.open(SHELF);
    await Promise.all(
      [GIVEN.shell].concat(GIVEN.files).map(async (url) => {
        const answer = await fetch(url, { credentials: "omit", cache: "no-cache" });
        if (!answer.ok || answer.redirected) {
          throw new Error(`${url}: ${answer.status}`);
        }
        await shelf.put(url, answer);
      })
    );
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.indexOf(SHELVES) === 0 && name !== SHELF && name !== FORMS);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) {
    return;
  }
  if (request.mode === "navigate") {
    event.respondWith(page(event));
  } else if (request.method === "GET" && (GIVEN.files.indexOf(url.pathname) >= 0 || url.pathname.indexOf(GIVEN.shell) === 0)) {
    event.respondWith(file(request, url.pathname));
  }
});

/* From the network, from here when it has none or takes too long. */
async function file(request, path) {
  const kept = await caches.match(path);
  if (!kept) {
    return fetch(request);
  }
  return Promise.race([fetch(request).catch(() => kept), after(PATIENCE_FILES, kept)]);
}

function after(time, value) {
  return new Promise((resolve) => setTimeout(() => resolve(value), time));
}

async function page(event) {
  const answer = fetch(event.request);
  const shell = await caches.match(GIVEN.shell);
  if (!shell) {
    return answer;
  }
  const isGet = event.request.method === "GET";
  try {
    const first = await (isGet ? Promise.race([answer, after(PATIENCE, shell)]) : answer);
    const away = isGet && GIVEN.state && first.type === "opaqueredirect" && (await look().catch(() => false));
    return away || DOWN.indexOf(first.status) >= 0 ? shell : first;
  } catch (error) {
    return shell;
  } finally {
    event.waitUntil(forget((record) => record.kind !== "queued" && record.until < new Date().toISOString()));
  }
}

/* Sent away: if the way in has ended for good, what is held for it goes. Whether answers still waited: the shell has
   to say that they could not be sent, and lets them go then. */
async function look() {
  const answer = await fetch(GIVEN.state, { credentials: "same-origin" });
  if (answer.status !== 410) {
    return false;
  }
  const ended = await answer.json();
  const waits = (record) => record.kind === "queued" && !record.refused;
  const held = await forget((record) => record.grant === ended.grant && record.kind !== "queued");
  return held.some((record) => record.grant === ended.grant && waits(record));
}

/* Lets go what `gone` says; the records that were held. */
function forget(gone) {
  return new Promise((resolve) => {
    const request = indexedDB.open(GIVEN.name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("held", { keyPath: "id" });
      request.result.createObjectStore("keys");
    };
    request.onerror = () => resolve([]);
    request.onsuccess = () => {
      const base = request.result;
      const change = base.transaction("held", "readwrite");
      const held = change.objectStore("held");
      let found = [];
      held.getAll().onsuccess = (event) => {
        found = event.target.result;
        found.filter(gone).forEach((record) => held.delete(record.id));
      };
      change.oncomplete = () => {
        base.close();
        resolve(found);
      };
      change.onabort = change.oncomplete;
    };
  });
}
