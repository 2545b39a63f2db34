/* The tabs of one browser share one stream: the one that holds the lock has it and tells the others. Where a browser
   lacks Web Locks or BroadcastChannel (before Firefox 96, Safari 15.4), and where a page asks for a stream of its own,
   each page has its own. */

import { openSource } from "./source.js";

const SILENT = 45000; // a leader that says nothing for so long sleeps: another tab takes over
const GATHER = 100; // elements that come together make one new stream

function shareable() {
  // eslint-disable-next-line compat/compat -- this looks whether they are there
  return Boolean(window.BroadcastChannel && navigator.locks);
}

/** Tokens → since of several tabs, as one. */
export function union(tabs) {
  const all = new Map();
  tabs.forEach((tokens) => {
    Object.keys(tokens).forEach((token) => {
      all.set(token, Math.min(tokens[token], all.has(token) ? all.get(token) : Infinity));
    });
  });
  return all;
}

/** A stream that follows what is watched: `update(tabs)` opens a new one when a token is new. */
function follower(url, tell) {
  const gone = new Set(); // tokens that have expired: not asked for again
  const told = Object.assign({}, tell, {
    old(tokens) {
      tokens.forEach((token) => gone.add(token));
      tell.old(tokens);
    },
  });
  let source = null;
  let watched = new Map();
  let timer = null;

  function reopen(tokens) {
    const before = source;
    let since = before ? before.last() : Infinity;
    tokens.forEach((at, token) => {
      since = watched.has(token) ? since : Math.min(since, at);
    });
    watched = tokens;
    source = openSource(url, Array.from(tokens.keys()), since, told);
    if (before) {
      before.close();
    }
  }

  return {
    update(tabs) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const wanted = union(tabs);
        const old = Array.from(wanted.keys()).filter((token) => gone.has(token));
        old.forEach((token) => wanted.delete(token));
        if (old.length) {
          tell.old(old); // a page that came since with such a token
        }
        if (Array.from(wanted.keys()).some((token) => !watched.has(token))) {
          reopen(wanted);
        }
      }, GATHER);
    },
    close() {
      clearTimeout(timer);
      if (source) {
        source.close();
      }
      source = null;
      watched = new Map();
    },
  };
}

/** A stream for this page alone. Returns update(tokens), where tokens is {token: since}. */
export function alone(url, tell) {
  const stream = follower(url, tell);
  return { update: (tokens) => stream.update([tokens]) };
}

/** The stream that all tabs share. Same answer as `alone`. */
export function shared(url, tell) {
  if (!shareable()) {
    return alone(url, tell);
  }
  const name = `relais-live ${url}`;
  const me = Math.random().toString(36).slice(2);
  // eslint-disable-next-line compat/compat -- shareable() has looked
  const channel = new BroadcastChannel(name);
  const tabs = new Map();
  let mine = {};
  let leading = false;
  let heard = Date.now();
  let stream = null;

  function hear(message) {
    if (message.call === "ping") {
      tell.ping(message.topic, message.urgent);
    } else if (message.call === "old") {
      tell.old(message.tokens);
    } else {
      tell[message.call]();
    }
  }

  function broadcast(message) {
    channel.postMessage(message);
    hear(message);
  }

  function lead() {
    leading = true;
    stream = follower(url, {
      up: () => broadcast({ call: "up" }),
      down: () => broadcast({ call: "down" }),
      again: () => broadcast({ call: "again" }),
      late: () => broadcast({ call: "late" }),
      out: () => broadcast({ call: "out" }),
      old: (tokens) => broadcast({ call: "old", tokens }),
      ping: (topic, urgent) => broadcast({ call: "ping", topic, urgent }),
    });
    tabs.clear();
    tabs.set(me, mine);
    channel.postMessage({ ask: true });
    stream.update(tabs);
  }

  function follow() {
    leading = false;
    if (stream) {
      stream.close();
      stream = null;
    }
  }

  function stand(options) {
    const held = () => {
      lead();
      return new Promise(() => {});
    };
    // eslint-disable-next-line compat/compat -- shareable() has looked
    navigator.locks.request(name, options, held).catch(() => {
      follow();
      stand({});
    });
  }

  channel.onmessage = (event) => {
    const message = event.data;
    heard = Date.now();
    if (message.ask) {
      channel.postMessage({ tab: me, tokens: mine });
    } else if (message.tab) {
      if (!leading) {
        return;
      }
      if (message.tokens) {
        tabs.set(message.tab, message.tokens);
      } else {
        tabs.delete(message.tab);
      }
      stream.update(tabs);
    } else if (!leading) {
      hear(message);
    }
  };

  setInterval(() => {
    if (leading) {
      return;
    }
    if (Date.now() - heard > SILENT && !document.hidden) {
      heard = Date.now();
      tell.again();
      stand({ steal: true });
    }
  }, 5000);
  window.addEventListener("pagehide", () => channel.postMessage({ tab: me, tokens: null }));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      channel.postMessage({ tab: me, tokens: mine });
      tell.again();
    }
  });
  stand({});

  return {
    update(tokens) {
      mine = tokens;
      if (leading) {
        tabs.set(me, mine);
        stream.update(tabs);
      } else {
        channel.postMessage({ tab: me, tokens: mine });
      }
    },
  };
}
