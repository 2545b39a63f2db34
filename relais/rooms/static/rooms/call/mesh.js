/* Everybody else in the call: one link for each page inside, and the signals between them. */

import { openLink } from "./link.js";
import * as media from "./media.js";
import { openOutbox } from "./outbox.js";
import { MESH_MAX, worst } from "./quality.js";

/**
 * `wanted`: config (urls), entry ({peer, servers, relay_only} as the server answered), heard (0, or the last signal that
 * this page heard while it was carried otherwise), and listeners joined(person),
 * left(person), stream(person, MediaStream), line(person, state), told(person, message), word(the worst of all lines).
 */
export function openMesh(wanted) {
  const { entry, config } = wanted;
  const links = new Map(); // peer -> {person, link, word}
  const outbox = openOutbox(config.urls.signal, entry.peer);
  let heard = wanted.heard; // id of the last signal
  const send = outbox.send;

  /** What the other side must know of mine: heard, seen, or only the line stands in the way. */
  function status(one) {
    const camera = Boolean(media.track("video"));
    const crowded = links.size + 1 > MESH_MAX; // a room of many whose relay is away
    return { microphone: !media.muted(), camera, paused: camera && !one.link.showing(), crowded, word: one.word };
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
        if (Math.max(size, links.size) >= MESH_MAX) {
          tellStatus();
        }
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
      outbox.close();
      Array.from(links.keys()).forEach(drop);
    },
  };
}
