/* The line: can the relay be reached, how long does an answer take, how much goes through. */

import { get } from "../call/server.js";

const RELAY_WAIT = 4000;
const TRIES = 5;
const SLOW_KBPS = 300; // below, a video is reduced to a stamp
const LATE_MS = 600;

function timed(work) {
  const begun = performance.now();
  return work().then((value) => ({ value, ms: performance.now() - begun }));
}

function median(numbers) {
  const sorted = numbers.slice().sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function download(url) {
  return fetch(url, { credentials: "same-origin", cache: "no-store" }).then((answer) => {
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    return answer.arrayBuffer();
  });
}

function upload(url, size, token) {
  const body = new Uint8Array(size);
  const headers = { "X-CSRFToken": token, "X-Background": "1", "Content-Type": "application/octet-stream" };
  return fetch(url, { method: "POST", credentials: "same-origin", headers, body }).then((answer) => {
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
  });
}

function kbps(bytes, ms) {
  return Math.round((bytes * 8) / Math.max(1, ms));
}

/** Whether one of these servers gives a relayed address. */
export function relayAnswers(servers) {
  return new Promise((resolve) => {
    const connection = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: "relay", sdpSemantics: "unified-plan" });
    const finish = (found) => {
      connection.onicecandidate = null;
      connection.close();
      resolve(found);
    };
    const timer = setTimeout(() => finish(false), RELAY_WAIT);
    connection.onicecandidate = (event) => {
      if (event.candidate && / typ relay /.test(event.candidate.candidate)) {
        clearTimeout(timer);
        finish(true);
      }
    };
    connection.createDataChannel("test");
    connection
      .createOffer()
      .then((offer) => connection.setLocalDescription(offer))
      .catch(() => finish(false));
  });
}

async function delays(url) {
  const found = [];
  for (let index = 0; index < TRIES; index += 1) {
    found.push((await timed(() => download(`${url}?size=0`))).ms);
  }
  return median(found);
}

/** Measure everything: {relay: "ok", "ko" or "none", delay_ms, down_kbps, up_kbps}. Rejects when the server is out of reach. */
export async function measure(urls, token) {
  const answer = await get(urls.servers);
  if (answer.status !== 200) {
    throw new Error(String(answer.status));
  }
  const { configured, servers } = answer.body;
  const relay = configured ? ((await relayAnswers(servers)) ? "ok" : "ko") : "none";
  const delay = await delays(urls.sample);
  const down = await timed(() => download(urls.sample));
  const up = await timed(() => upload(urls.sample, down.value.byteLength, token));
  return {
    relay,
    delay_ms: Math.round(delay),
    down_kbps: kbps(down.value.byteLength, down.ms),
    up_kbps: kbps(down.value.byteLength, up.ms),
  };
}

/** Which sentence fits what was measured: its key, and whether it is a failure. */
export function judge(facts) {
  if (facts.relay === "ko") {
    return { ok: false, key: "network-relay" };
  }
  if (Math.min(facts.down_kbps, facts.up_kbps) < SLOW_KBPS) {
    return { ok: false, key: "network-slow" };
  }
  if (facts.delay_ms > LATE_MS) {
    return { ok: false, key: "network-late" };
  }
  return { ok: true, key: facts.relay === "ok" ? "network-ok" : "network-ok-no-relay" };
}
