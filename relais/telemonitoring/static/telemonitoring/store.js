/* What this device holds for the days without network, in IndexedDB: the card of the follow-up and unfinished answers
   under a key that cannot be exported, finished answers closed for the server alone (seal.js).

   A record is {id, kind: card|draft|queued, grant, until, …}: after `until` the way in is over and it is wiped. What is
   queued stays until the server has taken or refused it: this device's clock may be wrong, and nobody else can read it. */

const NAME = "relais-suivi";
const SHELVES = "relais-suivi-";

export function supported() {
  return Boolean(
    window.indexedDB && window.crypto && window.crypto.subtle && "serviceWorker" in navigator && "caches" in window
  );
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("held", { keyPath: "id" });
      request.result.createObjectStore("keys");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function use(name, mode, act) {
  const base = await open();
  try {
    return await new Promise((resolve, reject) => {
      const change = base.transaction(name, mode);
      const request = act(change.objectStore(name));
      change.oncomplete = () => resolve(request.result);
      change.onerror = () => reject(change.error);
      change.onabort = () => reject(change.error);
    });
  } finally {
    base.close();
  }
}

export function put(record) {
  return use("held", "readwrite", (held) => held.put(record));
}

export function get(id) {
  return use("held", "readonly", (held) => held.get(id));
}

export function remove(id) {
  return use("held", "readwrite", (held) => held.delete(id));
}

/* Records of a kind, oldest first. */
export async function all(kind) {
  const found = await use("held", "readonly", (held) => held.getAll());
  return found.filter((record) => record.kind === kind).sort((a, b) => (a.at < b.at ? -1 : 1));
}

async function key() {
  const found = await use("keys", "readonly", (keys) => keys.get("local"));
  if (found) {
    return found;
  }
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await use("keys", "readwrite", (keys) => keys.add(made, "local")).catch(() => null); // two pages at once: one key
  return use("keys", "readonly", (keys) => keys.get("local"));
}

/* A value encrypted for this device alone. */
export async function lock(value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new TextEncoder().encode(JSON.stringify(value));
  return { iv, box: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), text) };
}

/* What was locked, null when the key is gone. */
export async function unlock(locked) {
  try {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: locked.iv }, await key(), locked.box);
    return JSON.parse(new TextDecoder().decode(text));
  } catch (error) {
    return null;
  }
}

/* Forget what is held for a way in; what the patient has not read about yet (`refused`) stays when `told` is false. */
export async function wipe(grant, told) {
  const found = await use("held", "readonly", (held) => held.getAll());
  const gone = found.filter((record) => record.grant === grant && (told || !record.refused));
  await Promise.all(gone.map((record) => remove(record.id)));
  if (gone.length === found.length) {
    await forget();
  }
}

/* Forget what is held for ways in that are over. */
export async function expire() {
  const found = await use("held", "readonly", (held) => held.getAll());
  const now = new Date().toISOString();
  const over = found.filter((record) => record.kind !== "queued" && record.until < now);
  await Promise.all(over.map((record) => remove(record.id)));
}

/* Everything: records, key, kept pages and the worker that serves them. */
export async function forget() {
  await use("held", "readwrite", (held) => held.clear());
  await use("keys", "readwrite", (keys) => keys.clear());
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.indexOf(SHELVES) === 0).map((name) => caches.delete(name)));
  const workers = await navigator.serviceWorker.getRegistrations();
  await Promise.all(workers.map((worker) => worker.unregister()));
}
