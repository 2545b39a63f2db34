/* Everybody else in a call of many: one connection that sends to the video relay, one that receives from it. The server
   carries the descriptions; the relay passes on frames that it cannot read. The same interface as mesh.js. */

import * as media from "./media.js";
import { openOutbox } from "./outbox.js";
import * as quality from "./quality.js";
import { openSealing, settings } from "./sealing.js";
import * as server from "./server.js";
import { read } from "./stats.js";

const LOOK = 2; // seconds between two looks at the line
const GATHER = 1000; // ms at most for the addresses of this browser: the relay finds later ones by itself
const AGAIN = 1500;
const TRIES = 4;

/** `wanted`: as for mesh.js, and sealUrl, heard (id of the last signal), check() (asks the server whether the seat stands). */
export function openRelayed(wanted) {
  const { entry, config } = wanted;
  const outbox = openOutbox(config.urls.signal, entry.peer);
  const sealing = openSealing(wanted.sealUrl);
  const known = new Map(); // peer -> {person, stream}
  let heard = wanted.heard;
  let seats = {}; // peer -> seat
  let held = ""; // the seats that we receive
  let lines = {}; // mid -> seat
  let sends = null;
  let receives = null;
  let seated = false; // the relay has answered what we send
  let missed = 0; // places lost while receiving, one after another
  let up = false;
  let closed = false;
  let busy = false;
  let tries = 0;
  let timer = null;
  let looked = null;
  let ladder = quality.fresh();
  let sendingVideo = true;
  let word = "good";

  function connect() {
    const base = {
      iceServers: entry.servers,
      iceTransportPolicy: entry.relay_only ? "relay" : "all",
      bundlePolicy: "max-bundle",
      sdpSemantics: "unified-plan",
    };
    const made = new RTCPeerConnection(Object.assign(base, settings()));
    made.oniceconnectionstatechange = () => watch(made);
    made.ontrack = (event) => sealing.open(event.receiver);
    return made;
  }

  function standing(connection) {
    return Boolean(connection) && ["connected", "completed"].indexOf(connection.iceConnectionState) >= 0;
  }

  function watch(connection) {
    if (closed || (connection !== sends && connection !== receives)) {
      return;
    }
    const state = connection.iceConnectionState;
    if (connection === sends && standing(sends) && !up) {
      up = true;
      limit();
      wanted.check();
    } else if (state === "failed") {
      seatAgain();
    } else if (state === "disconnected") {
      wanted.check();
    }
    drawLines();
  }

  function drawLines() {
    const broken = (receives && !standing(receives) && receives.iceConnectionState !== "new" && receives.iceConnectionState !== "checking") || tries > 0;
    known.forEach((one) => wanted.line(one.person, broken ? "broken" : "up"));
  }

  /** Resolves once the description holds the addresses of this browser. */
  function gathered(connection) {
    return new Promise((resolve) => {
      setTimeout(resolve, GATHER);
      const look = () => connection.iceGatheringState === "complete" && resolve();
      connection.addEventListener("icegatheringstatechange", look);
      look();
    });
  }

  /* Sending. */

  function publish() {
    const mine = connect();
    sends = mine;
    ["audio", "video"].forEach((kind) => {
      const sendEncodings = [(kind === "video" && wish()) || {}];
      const made = mine.addTransceiver(wantedTrack(kind) || kind, { direction: "sendonly", sendEncodings });
      sealing.seal(made.sender);
    });
    mine
      .createOffer()
      .then((description) => mine.setLocalDescription(description))
      .then(() => gathered(mine))
      .then(() => {
        const last = tries >= TRIES;
        const body = { peer: entry.peer, sdp: mine.localDescription.sdp, last };
        return server.insist(() => server.post(config.urls.publish, body), () => !closed && mine === sends);
      })
      .then((answer) => {
        if (closed || mine !== sends || answer.status !== 200) {
          return null;
        }
        if (answer.body.lost) {
          tries += 1;
          drawLines();
          seatAgain(AGAIN);
        } else if (!answer.body.inside) {
          wanted.look();
        } else {
          tries = 0;
          seated = true;
          return mine.setRemoteDescription({ type: "answer", sdp: answer.body.sdp }).then(receive);
        }
        return null;
      })
      .catch(() => seatAgain(AGAIN));
  }

  /** The place at the relay is lost: take another. */
  function seatAgain(wait) {
    if (closed || timer) {
      return;
    }
    drop();
    timer = setTimeout(() => {
      timer = null;
      if (!closed) {
        publish();
      }
    }, wait || 0);
  }

  function drop() {
    if (sends) {
      sends.close();
    }
    sends = null;
    begin();
    held = "";
    seated = false;
    up = false;
    looked = null;
  }

  function wantedTrack(kind) {
    return kind === "video" && !sendingVideo ? null : media.track(kind);
  }

  function senderOf(kind) {
    const all = sends ? sends.getTransceivers() : [];
    const found = all.filter((one) => one.receiver.track.kind === kind)[0];
    return found ? found.sender : null;
  }

  function retrack() {
    ["audio", "video"].forEach((kind) => {
      const sender = senderOf(kind);
      const track = wantedTrack(kind);
      if (sender && sender.track !== track) {
        sender.replaceTrack(track).catch(() => {});
      }
    });
  }

  function wish() {
    const track = media.track("video");
    const height = (track && track.getSettings && track.getSettings().height) || 360;
    return quality.relayed(ladder.level, known.size + 1, height);
  }

  /** Keep the video as small as its tile on the others' screens, and within what the line allows. */
  function limit() {
    const now = wish();
    sendingVideo = now !== null;
    retrack();
    const sender = senderOf("video");
    const parameters = sender && now && sender.getParameters ? sender.getParameters() : null;
    if (parameters && parameters.encodings && parameters.encodings.length) {
      Object.assign(parameters.encodings[0], now);
      sender.setParameters(parameters).catch(() => {});
    }
  }

  /* Receiving: one change at a time. */

  function receive() {
    const list = Array.from(known.keys()).map((peer) => seats[peer]).filter(Boolean).sort();
    if (busy || closed || timer || !seated || list.join() === held) {
      return;
    }
    busy = true;
    const mine = sends;
    const stale = () => closed || mine !== sends;
    server
      .post(config.urls.receive, { peer: entry.peer, seats: list })
      .then((answer) => {
        if (stale() || answer.status !== 200) {
          return false;
        }
        if (answer.body.lost) {
          missed += 1; // another place, later each time
          seatAgain(AGAIN * Math.min(missed, TRIES));
          return false;
        }
        if (answer.body.fresh) {
          begin();
        }
        return answer.body.sdp ? accept(answer.body, stale) : answer.body.inside && list.join() === answer.body.seats.join();
      })
      .catch(() => false)
      .then((settled) => {
        busy = false;
        if (settled && !stale()) {
          held = list.join();
          missed = 0;
        }
        if (!closed) {
          setTimeout(receive, settled ? 0 : 700);
        }
      });
  }

  /** What was received comes no more: the next offer is for a connection of its own. */
  function begin() {
    if (receives) {
      receives.close();
    }
    receives = null;
    lines = {};
  }

  function accept(offered, stale) {
    const first = !receives;
    receives = receives || connect();
    const mine = receives;
    return mine
      .setRemoteDescription({ type: "offer", sdp: offered.sdp })
      .then(() => {
        mine.getTransceivers().forEach((one) => sealing.open(one.receiver));
        return mine.createAnswer();
      })
      .then((description) => mine.setLocalDescription(description))
      .then(() => first && gathered(mine))
      .then(() => server.post(config.urls.answer_relay, { peer: entry.peer, sdp: mine.localDescription.sdp }))
      .then((answer) => {
        if (stale() || answer.status !== 200 || !answer.body.inside || answer.body.lost) {
          return false;
        }
        lines = offered.lines;
        known.forEach(attach);
        return true;
      });
  }

  /** Give a person's tile the tracks that are theirs now. */
  function attach(one, peer) {
    const mine = (receives ? receives.getTransceivers() : []).filter((each) => each.mid && lines[each.mid] && lines[each.mid] === seats[peer]);
    const tracks = mine.map((each) => each.receiver.track);
    const before = one.stream ? one.stream.getTracks() : [];
    if (tracks.length && (tracks.length !== before.length || tracks.some((track) => before.indexOf(track) < 0))) {
      one.stream = new MediaStream(tracks);
      wanted.stream(one.person, one.stream);
      wanted.line(one.person, "up");
    }
  }

  /* The line. */

  function look() {
    if (!sends || !up) {
      return;
    }
    const before = looked;
    read(sends, before)
      .then((sample) => {
        looked = sample.next;
        const grade = quality.assess({ loss: sample.sentLoss, delay: sample.delay, room: sendingVideo ? sample.room : null, stalled: false }, quality.relayedNeeds(known.size + 1));
        const level = ladder.level;
        ladder = quality.step(ladder, grade, LOOK);
        if (ladder.level !== level) {
          limit();
        }
        const now = quality.word(ladder.level);
        if (now !== word) {
          word = now;
          tellStatus();
        }
        wanted.word(word);
      })
      .catch(() => {});
  }

  function status() {
    const camera = Boolean(media.track("video"));
    return { microphone: !media.muted(), camera, paused: camera && !sendingVideo, word };
  }

  function tellOne(peer, message) {
    outbox.send(peer, { type: "told", message });
  }

  function tell(message) {
    known.forEach((_one, peer) => tellOne(peer, message));
  }

  function tellStatus() {
    tell(status());
  }

  function hear(signal) {
    heard = signal.id;
    const one = known.get(signal.from);
    if (one && signal.payload.type === "told") {
      wanted.told(one.person, signal.payload.message);
    }
  }

  const looking = setInterval(look, LOOK * 1000);
  publish();

  return {
    /** Follow what the server says: who is inside, whom one can receive, the key. */
    follow(state) {
      sealing.follow(state.relay.key, state.relay.closed);
      const others = state.people.filter((person) => person.peer !== entry.peer);
      const here = others.map((person) => person.peer);
      const size = known.size;
      const fresh = [];
      Array.from(known.keys()).forEach((peer) => {
        if (here.indexOf(peer) < 0) {
          const gone = known.get(peer).person;
          known.delete(peer);
          wanted.left(gone);
        }
      });
      others.forEach((person) => {
        const one = known.get(person.peer);
        if (one) {
          Object.assign(one.person, person);
        } else {
          known.set(person.peer, { person, stream: null });
          fresh.push(person.peer);
          wanted.joined(person);
        }
      });
      fresh.forEach((peer) => tellOne(peer, status()));
      if (size !== known.size) {
        limit();
      }
      ({ seats } = state.relay);
      state.signals.filter((signal) => signal.id > heard).forEach(hear);
      receive();
    },
    heard: () => heard,
    /** Whether the line to the relay stands. */
    up: () => up,
    /** The server says that the relay does not know this page any more. */
    unseated() {
      if (up || tries === 0) {
        seatAgain();
      }
    },
    retrack() {
      retrack();
      limit();
      tellStatus();
    },
    mend: () => wanted.check(),
    tell,
    tellOne,
    people: () => Array.from(known.values()).map((one) => one.person),
    streamOf: (peer) => (known.has(peer) ? known.get(peer).stream : null),
    connections: () => [sends, receives].filter(Boolean),
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(looking);
      outbox.close();
      drop();
      sealing.close();
      const gone = Array.from(known.values());
      known.clear();
      gone.forEach((one) => wanted.left(one.person));
    },
  };
}
