/* The service worker of the patient's follow-up pages (scope /p/suivi/): the network always comes first; without it,
   the shell opens in the place of each page, with the files and the questions that were kept. Nothing of a patient is
   kept here. `self.RELAIS` = {version, files, shell, state}. */

const GIVEN = self.RELAIS;
const SHELF = `relais-suivi-${GIVEN.version}`;
const FORMS = "relais-suivi-forms";
const PATIENCE = 20000; // ms that a page may take before the shell opens in its place

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
    const old = names.filter((name) => name.indexOf("relais-suivi-") === 0 && name !== SHELF && name !== FORMS);
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
    event.respondWith(fetch(request).catch(() => kept(url.pathname)));
  }
});

async function kept(path) {
  return (await caches.match(path)) || Response.error();
}

async function page(event) {
  const answer = fetch(event.request);
  const shell = await caches.match(GIVEN.shell);
  if (!shell) {
    return answer;
  }
  const late = new Promise((resolve) => {
    if (event.request.method === "GET") {
      setTimeout(() => resolve(shell), PATIENCE);
    }
  });
  try {
    const first = await Promise.race([answer, late]);
    if (first.type === "opaqueredirect") {
      event.waitUntil(look());
    }
    return first;
  } catch (error) {
    return shell;
  } finally {
    event.waitUntil(forget((record) => record.until < new Date().toISOString()));
  }
}

/* Sent away: if the way in has ended for good, what is held for it goes. */
async function look() {
  const answer = await fetch(GIVEN.state, { credentials: "same-origin" });
  if (answer.status === 410) {
    const ended = await answer.json();
    await forget((record) => record.grant === ended.grant);
  }
}

function forget(gone) {
  return new Promise((resolve) => {
    const request = indexedDB.open("relais-suivi", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("held", { keyPath: "id" });
      request.result.createObjectStore("keys");
    };
    request.onerror = () => resolve();
    request.onsuccess = () => {
      const base = request.result;
      const change = base.transaction("held", "readwrite");
      const held = change.objectStore("held");
      held.getAll().onsuccess = (event) => {
        event.target.result.filter(gone).forEach((record) => held.delete(record.id));
      };
      change.oncomplete = () => {
        base.close();
        resolve();
      };
      change.onabort = change.oncomplete;
    };
  });
}
