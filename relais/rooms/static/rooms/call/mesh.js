/* Everybody else in the call: one link for each page inside, and the signals between them. */

import { openLink } from "./link.js";
import * as media from "./media.js";
import { worst } from "./quality.js";
import * as server from "./server.js";

/**
 * `wanted`: config (urls), entry ({peer, servers, relay_only} as the server answered), and listeners joined(person),
 * left(person), stream(person, MediaStream), line(person, state), told(person, message), word(the worst of all lines).
 */
export function openMesh(wanted) {
  const { entry, config } = wanted;
  const links = new Map(); // peer -> {person, link, word}
  let heard = 0; // id of the last signal
  let outbox = [];
  let sending = false;
  let closed = false;

  function post() {
    if (sending || !outbox.length || closed) {
      return;
    }
    sending = true;
    const messages = outbox;
    outbox = [];
    server
      .insist(() => server.post(config.urls.signal, { peer: entry.peer, messages }), () => !closed)
      .then(() => {
        sending = false;
        post();
      });
  }

  function send(to, payload) {
    outbox.push({ to, payload });
    Promise.resolve().then(post); // what is said at once goes together
  }

  /** What the other side must know of mine: heard, seen, or only the line stands in the way. */
  function status(one) {
    const camera = Boolean(media.track("video"));
    return { microphone: !media.muted(), camera, paused: camera && !one.link.showing(), word: one.word };
  }

  function tellStatus() {
    links.forEach((one) => one.link.tell(status(one)));
  }

  function add(person, newer) {
    const one = { person, word: "good", link: null };
    one.link = openLink({
      offers: newer,
      servers: entry.servers,
      relayOnly: entry.relay_only,
      track: media.track,
      people: () => links.size + 1,
      send: (payload) => send(person.peer, payload),
      stream: (stream) => wanted.stream(person, stream),
      line: (state) => wanted.line(person, state),
      told: (message) => {
        if (message.open) {
          one.link.tell(status(one));
        } else {
          wanted.told(person, message);
        }
      },
      word: (word) => {
        if (word !== one.word) {
          one.word = word;
          one.link.tell(status(one));
        }
        wanted.word(worst(Array.from(links.values()).map((each) => each.word)));
      },
    });
    links.set(person.peer, one);
    wanted.joined(person);
  }

  function drop(peer) {
    const one = links.get(peer);
    links.delete(peer);
    one.link.close();
    wanted.left(one.person);
  }

  function connected(one) {
    const state = one.link.connection.iceConnectionState;
    return state === "connected" || state === "completed";
  }

  return {
    /** Follow what the server says: who is inside, and what they sent. */
    follow(state) {
      const mine = state.people.filter((person) => person.peer === entry.peer)[0];
      const others = state.people.filter((person) => person.peer !== entry.peer);
      others.forEach((person) => {
        const known = links.get(person.peer);
        if (known) {
          known.person = Object.assign(known.person, person);
        } else {
          add(person, Boolean(mine) && mine.order > person.order);
        }
      });
      const size = links.size;
      const here = others.map((person) => person.peer);
      const back = others.map((person) => person.invitation);
      links.forEach((one, peer) => {
        // Silent towards the server but heard by us: the server was away, not the person.
        if (here.indexOf(peer) < 0 && (!connected(one) || back.indexOf(one.person.invitation) >= 0 || state.left.indexOf(peer) >= 0)) {
          drop(peer);
        }
      });
      if (links.size !== size || others.length !== size) {
        links.forEach((one) => one.link.limit());
      }
      state.signals.forEach((signal) => {
        if (signal.id > heard) {
          heard = signal.id;
          const one = links.get(signal.from);
          if (one) {
            one.link.hear(signal.payload);
          }
        }
      });
    },
    heard: () => heard,
    retrack() {
      links.forEach((one) => one.link.retrack());
      tellStatus();
    },
    mend() {
      links.forEach((one) => one.link.mend());
    },
    tell(message) {
      links.forEach((one) => one.link.tell(message));
    },
    tellOne(peer, message) {
      const one = links.get(peer);
      if (one) {
        one.link.tell(message);
      }
    },
    people: () => Array.from(links.values()).map((one) => one.person),
    streamOf: (peer) => (links.has(peer) ? links.get(peer).link.remote : null),
    connections: () => Array.from(links.values()).map((one) => one.link.connection),
    close() {
      closed = true;
      Array.from(links.keys()).forEach(drop);
    },
  };
}
