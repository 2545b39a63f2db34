/* What this device holds for the days without network, in IndexedDB: what is unfinished under a key that cannot be
   exported, what is finished closed for the server alone (seal.js).

   A record is {id, kind, at, until, …}: after `until` it is wiped. What is `queued` stays until the server has taken or
   refused it: this device's clock may be wrong, and nobody else can read it. */

export function supported() {
  return Boolean(
    window.indexedDB && window.crypto && window.crypto.subtle && "serviceWorker" in navigator && "caches" in window
  );
}

/* The store `name`; `scope` is that of the worker that serves its pages. */
export function storeOf(name, scope) {
  function open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("held", { keyPath: "id" });
        request.result.createObjectStore("keys");
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  async function use(shelf, mode, act) {
    const base = await open();
    try {
      return await new Promise((resolve, reject) => {
        const change = base.transaction(shelf, mode);
        const request = act(change.objectStore(shelf));
        change.oncomplete = () => resolve(request.result);
        change.onerror = () => reject(change.error);
        change.onabort = () => reject(change.error);
      });
    } finally {
      base.close();
    }
  }

  const put = (record) => use("held", "readwrite", (held) => held.put(record));
  const get = (id) => use("held", "readonly", (held) => held.get(id));
  const remove = (id) => use("held", "readwrite", (held) => held.delete(id));
  const everything = () => use("held", "readonly", (held) => held.getAll());

  /* Records of a kind, oldest first. */
  async function all(kind) {
    const found = await everything();
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
  async function lock(value) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = new TextEncoder().encode(JSON.stringify(value));
    return { iv, box: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), text) };
  }

  /* What was locked, null when the key is gone. */
  async function unlock(locked) {
    try {
      const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: locked.iv }, await key(), locked.box);
      return JSON.parse(new TextDecoder().decode(text));
    } catch (error) {
      return null;
    }
  }

  /* Forget the records for which `gone(record)` holds, and everything when none is left. */
  async function wipe(gone) {
    const found = await everything();
    const going = found.filter(gone);
    await Promise.all(going.map((record) => remove(record.id)));
    if (going.length === found.length) {
      await forget();
    }
  }

  /* Forget what is over: by this device's clock, unless `nowOf(record)` says what time it is (ms). */
  async function expire(nowOf) {
    const found = await everything();
    const now = nowOf || Date.now;
    const over = found.filter((record) => record.kind !== "queued" && Date.parse(record.until) < now(record));
    await Promise.all(over.map((record) => remove(record.id)));
  }

  /* Everything: records, key, kept pages and the worker that serves them. */
  async function forget() {
    await use("held", "readwrite", (held) => held.clear());
    await use("keys", "readwrite", (keys) => keys.clear());
    const names = await caches.keys();
    await Promise.all(names.filter((each) => each.indexOf(`${name}-`) === 0).map((each) => caches.delete(each)));
    const workers = await navigator.serviceWorker.getRegistrations();
    const ours = workers.filter((worker) => new URL(worker.scope).pathname === scope);
    await Promise.all(ours.map((worker) => worker.unregister()));
  }

  return { put, get, remove, all, lock, unlock, wipe, expire, forget };
}
