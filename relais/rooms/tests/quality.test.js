// The decisions of quality.js, run by node --test (see test_quality.py).
import assert from "node:assert/strict";
import { test } from "node:test";

import * as quality from "../static/rooms/call/quality.js";

const calm = { loss: 0, delay: 50, room: 2000, stalled: false };

function live(state, grade, seconds) {
  let now = state;
  for (let at = 0; at < seconds; at += 2) {
    now = quality.step(now, grade, 2);
  }
  return now;
}

test("a calm line is good, and one that measured nothing yet as well", () => {
  assert.equal(quality.assess(calm, 1500), "good");
  assert.equal(quality.assess({ loss: null, delay: null, room: null, stalled: false }, 1500), "good");
});

test("loss, delay, lack of room and a frozen picture each make a line weak or bad", () => {
  assert.equal(quality.assess({ ...calm, loss: 0.05 }, 1500), "weak");
  assert.equal(quality.assess({ ...calm, loss: 0.2 }, 1500), "bad");
  assert.equal(quality.assess({ ...calm, delay: 900 }, 1500), "weak");
  assert.equal(quality.assess({ ...calm, delay: 2000 }, 1500), "bad");
  assert.equal(quality.assess({ ...calm, room: 200 }, 1500), "weak");
  assert.equal(quality.assess({ ...calm, room: 50 }, 1500), "bad");
  assert.equal(quality.assess({ ...calm, stalled: true }, 1500), "bad");
});

test("a line that carries a stamp is not blamed for measuring little room", () => {
  assert.equal(quality.assess({ ...calm, room: 130 }, quality.needs(2)), "good");
});

test("a short trouble changes nothing", () => {
  const state = live(live(quality.fresh(), "bad", 4), "good", 2);
  assert.equal(live(state, "bad", 4).level, 0);
});

test("a bad line goes down step by step to sound alone and no further", () => {
  assert.equal(live(quality.fresh(), "bad", 6).level, 1);
  assert.equal(live(quality.fresh(), "bad", 12).level, 2);
  assert.equal(live(quality.fresh(), "bad", 18).level, 3);
  assert.equal(live(quality.fresh(), "bad", 100).level, 3);
});

test("a weak line keeps a reduced picture", () => {
  assert.equal(live(quality.fresh(), "weak", 100).level, 1);
});

test("a good line comes back step by step", () => {
  const audio = live(quality.fresh(), "bad", 18);
  assert.equal(live(audio, "good", 12).level, 2);
  assert.equal(live(audio, "good", 36).level, 0);
});

test("each failed return makes the next one wait longer", () => {
  let state = live(quality.fresh(), "bad", 18);
  state = live(live(state, "good", 12), "bad", 6);
  assert.equal(state.level, 3);
  assert.equal(live(state, "good", 12).level, 3);
  assert.equal(live(state, "good", 24).level, 2);
});

test("more people share what one line carries", () => {
  assert.deepEqual(quality.sending(0, 2), { scaleResolutionDownBy: 1, maxBitrate: 1500000, maxFramerate: 24 });
  assert.deepEqual(quality.sending(0, 3), { scaleResolutionDownBy: 2, maxBitrate: 750000, maxFramerate: 15 });
  assert.deepEqual(quality.sending(0, 4), { scaleResolutionDownBy: 4, maxBitrate: 450000, maxFramerate: 15 });
  assert.equal(quality.sending(3, 2), null);
  assert.equal(quality.sending(0, 5), null, "a room of many without its relay: sound alone");
});

test("what goes to a relay is as small as its tile, and smaller on a bad line", () => {
  assert.deepEqual(quality.relayed(0, 6, 720), { scaleResolutionDownBy: 4, maxBitrate: 150000, maxFramerate: 10 });
  assert.deepEqual(quality.relayed(1, 6, 720), { scaleResolutionDownBy: 8, maxBitrate: 75000, maxFramerate: 5 });
  assert.deepEqual(quality.relayed(0, 25, 720), { scaleResolutionDownBy: 4, maxBitrate: 90000, maxFramerate: 8 });
  assert.deepEqual(quality.relayed(0, 3, 720), { scaleResolutionDownBy: 2, maxBitrate: 400000, maxFramerate: 15 });
  assert.equal(quality.relayed(0, 6, 90).scaleResolutionDownBy, 1, "never larger than it is");
  assert.equal(quality.relayed(3, 6, 720), null);
  assert.equal(quality.relayedNeeds(6), 150);
});

test("the words", () => {
  assert.deepEqual([0, 1, 2, 3].map(quality.word), ["good", "weak", "weak", "audio"]);
  assert.equal(quality.worst(["good", "audio", "weak"]), "audio");
  assert.equal(quality.worst([]), "good");
});
