/* The connection to one other page of the call. The page that came last makes every offer, the other one asks for offers:
   two offers never cross, so that browsers without rollback (Chrome 71, Safari 13) follow too. */

import * as quality from "./quality.js";
import { read } from "./stats.js";

const LOOK = 2; // seconds between two looks at the line
const RETRY = 8000;

/**
 * `wanted`: offers (whether this side makes the offers), servers, relayOnly, track(kind), people(), send(payload), and
 * listeners stream(MediaStream), line(state: "new", "up", "broken"), word(quality), told(message).
 */
export function openLink(wanted) {
  const connection = new RTCPeerConnection({
    iceServers: wanted.servers,
    iceTransportPolicy: wanted.relayOnly ? "relay" : "all",
    bundlePolicy: "max-bundle",
    sdpSemantics: "unified-plan",
  });
  const remote = new MediaStream();
  const channel = connection.createDataChannel("relais", { negotiated: true, id: 0 });
  let turn = 0; // number of the last offer made or answered
  let early = []; // candidates that came before the description they belong to
  let batch = [];
  let mending = null;
  let closed = false;
  let ladder = quality.fresh();
  let looked = null;
  let theirs = { loss: null, stalled: false };
  let sendingVideo = true;
  let up = false;
  let offered = 0;

  function senderOf(kind) {
    const found = connection.getTransceivers().filter((one) => one.receiver.track.kind === kind)[0];
    return found ? found.sender : null;
  }

  function offer(restart) {
    turn += 1;
    offered = Date.now();
    const mine = turn;
    return connection
      .createOffer(restart ? { iceRestart: true } : {})
      .then((description) => connection.setLocalDescription(description))
      .then(() => {
        if (!closed && mine === turn) {
          wanted.send({ type: "offer", turn: mine, sdp: connection.localDescription.sdp });
        }
      })
      .catch(() => {}); // tried again by mend()
  }

  function accept(payload) {
    turn = payload.turn;
    return connection
      .setRemoteDescription({ type: "offer", sdp: payload.sdp })
      .then(() => {
        connection.getTransceivers().forEach((one) => {
          one.direction = "sendrecv";
        });
        return retrack();
      })
      .then(addEarly)
      .then(() => connection.createAnswer())
      .then((description) => connection.setLocalDescription(description))
      .then(() => wanted.send({ type: "answer", turn: payload.turn, sdp: connection.localDescription.sdp }));
  }

  function addEarly() {
    const ready = early;
    early = [];
    ready.forEach(add);
  }

  function add(candidate) {
    connection.addIceCandidate(candidate).catch(() => {}); // of an earlier offer
  }

  /** Send the tracks there are now; of a line that carries sound alone, the sound. */
  function retrack() {
    return Promise.all(
      ["audio", "video"].map((kind) => {
        const sender = senderOf(kind);
        const track = kind === "video" && !sendingVideo ? null : wanted.track(kind);
        return sender && sender.track !== track ? sender.replaceTrack(track) : null;
      }),
    );
  }

  /** Keep the video within what the line and the number of people allow. */
  function limit() {
    const settings = quality.sending(ladder.level, wanted.people());
    sendingVideo = settings !== null;
    retrack().catch(() => {});
    const sender = senderOf("video");
    if (!sender || !settings || !sender.getParameters) {
      return;
    }
    const parameters = sender.getParameters();
    if (parameters.encodings && parameters.encodings.length) {
      Object.assign(parameters.encodings[0], settings);
      sender.setParameters(parameters).catch(() => {});
    }
  }

  function mend() {
    if (closed) {
      return;
    }
    clearTimeout(mending);
    mending = setTimeout(mend, RETRY);
    if (wanted.offers) {
      offer(true);
    } else {
      wanted.send({ type: "ask" });
    }
  }

  function watchLine() {
    const state = connection.iceConnectionState;
    if (state === "connected" || state === "completed") {
      clearTimeout(mending);
      mending = null;
      if (!up) {
        up = true;
        limit();
      }
      wanted.line("up");
    } else if (state === "failed") {
      up = false;
      wanted.line("broken");
      mend();
    } else if (state === "disconnected") {
      up = false;
      wanted.line("broken");
      clearTimeout(mending);
      mending = setTimeout(mend, 2500);
    }
  }

  function look() {
    read(connection, looked)
      .then((sample) => {
        looked = sample.next;
        tell({ loss: sample.loss, stalled: sample.frames === 0 && up });
        if (!up) {
          return;
        }
        const stalled = theirs.stalled && sendingVideo && Boolean(wanted.track("video"));
        const room = sendingVideo ? sample.room : null;
        const heard = { loss: theirs.loss, stalled, delay: sample.delay, room };
        const grade = quality.assess(heard, quality.needs(ladder.level));
        const before = ladder.level;
        ladder = quality.step(ladder, grade, LOOK);
        if (ladder.level !== before) {
          limit();
        }
        wanted.word(quality.word(ladder.level));
      })
      .catch(() => {});
  }

  function tell(message) {
    if (channel.readyState === "open") {
      channel.send(JSON.stringify(message));
    }
  }

  connection.ontrack = (event) => {
    remote.addTrack(event.track);
    wanted.stream(remote);
  };
  connection.onicecandidate = (event) => {
    if (!event.candidate) {
      return;
    }
    if (!batch.length) {
      setTimeout(() => {
        wanted.send({ type: "candidates", candidates: batch });
        batch = [];
      }, 40);
    }
    batch.push(event.candidate.toJSON ? event.candidate.toJSON() : event.candidate);
  };
  connection.oniceconnectionstatechange = watchLine;
  channel.onopen = () => wanted.told({ open: true });
  channel.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if ("loss" in message) {
      theirs = message;
    } else {
      wanted.told(message);
    }
  };
  const looking = setInterval(look, LOOK * 1000);
  mending = setTimeout(mend, RETRY * 1.5);

  if (wanted.offers) {
    ["audio", "video"].forEach((kind) => connection.addTransceiver(wanted.track(kind) || kind, { direction: "sendrecv" }));
    offer(false);
  }

  return {
    connection,
    remote,
    tell,
    retrack: () => retrack().catch(() => {}),
    limit,
    mend,
    /** Whether the picture goes out, as far as the line lets it. */
    showing: () => sendingVideo && Boolean(wanted.track("video")),
    /** What the other page sent. */
    hear(payload) {
      if (payload.type === "offer") {
        accept(payload).catch(() => {});
      } else if (payload.type === "answer") {
        if (payload.turn === turn && connection.signalingState === "have-local-offer") {
          connection
            .setRemoteDescription({ type: "answer", sdp: payload.sdp })
            .then(addEarly)
            .catch(() => {});
        }
      } else if (payload.type === "candidates") {
        if (connection.remoteDescription) {
          payload.candidates.forEach(add);
        } else {
          early = early.concat(payload.candidates);
        }
      } else if (payload.type === "ask" && wanted.offers && Date.now() - offered > 3000) {
        mend();
      }
    },
    close() {
      closed = true;
      clearTimeout(mending);
      clearInterval(looking);
      channel.onmessage = null;
      connection.close();
    },
  };
}
