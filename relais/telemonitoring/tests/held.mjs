// What a telephone holds and sends, in Node: a JSON line in, a JSON line out. The test lays the site's scripts beside this
// file. {records, replies: {url: {status, text}}, at, card, do} gives what was done, and what is held then.
import readline from "node:readline";

const shelves = { held: new Map(), keys: new Map() };

function done(result) {
  const request = { result };
  queueMicrotask(() => request.onsuccess && request.onsuccess({ target: request }));
  return request;
}

function shelf(name) {
  const held = shelves[name];
  return {
    put: (record) => done(held.set(record.id, record)),
    get: (id) => done(held.get(id)),
    getAll: () => done(Array.from(held.values())),
    delete: (id) => done(held.delete(id)),
    clear: () => done(held.clear()),
  };
}

function transaction(name) {
  const change = { objectStore: () => shelf(name) };
  setTimeout(() => change.oncomplete && change.oncomplete());
  return change;
}

let replies = {};
const asked = [];
globalThis.window = globalThis;
globalThis.indexedDB = { open: () => done({ transaction, close() {} }) };
globalThis.fetch = async (url, options) => {
  const request = options.body ? JSON.parse(options.body).request : "";
  asked.push(request || url);
  const found = replies[request || url];
  if (!found) {
    throw new TypeError("no network");
  }
  return new Response(found.text, { status: found.status });
};

const { send } = await import("./static/telemonitoring/queue.js");
const { expire } = await import("./static/telemonitoring/store.js");
const { dayOf, settled, today } = await import("./static/telemonitoring/drafts.js");
let at = null; // what the telephone takes for now

class Clock extends Date {
  constructor(...args) {
    super(...(args.length || !at ? args : [at]));
  }

  static now() {
    return at ? Date.parse(at) : super.now();
  }
}

globalThis.Date = Clock;
const acts = {
  send: () => send({ state: "/etat", send: "/envoyer", over: "Votre accès est terminé." }),
  expire,
  settle: (card) => {
    const found = settled(card);
    return { until: found.until, today: today(found), day: dayOf(found).date };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const given = JSON.parse(line);
  at = given.at || null;
  shelves.held.clear();
  (given.records || []).forEach((record) => shelves.held.set(record.id, record));
  replies = given.replies || {};
  asked.length = 0;
  const result = await acts[given.do](given.card);
  const held = Array.from(shelves.held.values(), (record) => [record.id, record.refused || ""]);
  process.stdout.write(`${JSON.stringify({ result: result === undefined ? null : result, held, asked })}\n`);
}
