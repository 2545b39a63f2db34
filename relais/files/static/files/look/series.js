/* The images of a file: asked by the server one request at a time, the one looked at first, kept up to a limit. */

import { unpacked } from "./pixels.js";

const KEPT = 192 * 1024 * 1024; // bytes of decoded images: a ward's computer has little memory
const TOGETHER = 6 * 1024 * 1024; // bytes of one answer, before it is compressed
const MOST = 32; // images of one answer
const TRIES = 6;

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What may pass: it is asked again, and never kept as the image's own fault. */
function passing(reason) {
  return reason === "busy" || reason === "line";
}

/** Ask the file's address; throws { reason } for what cannot be had, after trying again what may pass.
    `stop`: an AbortController; `still()`: whether the answer is still wanted. The reason is "left" when it is not. */
export async function ask(address, read, stop = new AbortController(), still = () => true) {
  for (let tried = 1; ; tried += 1) {
    let reason = "line";
    try {
      const answer = await fetch(address, { credentials: "same-origin", signal: stop.signal });
      if (answer.status === 404 || answer.status === 403 || answer.redirected) {
        reason = "gone";
      } else if (answer.ok) {
        return await read(answer);
      }
    } catch (error) {
      reason = error.reason || "line";
    }
    if (!stop.signal.aborted && tried < TRIES && passing(reason)) {
      await pause(700 * tried);
    } else if (!stop.signal.aborted) {
      throw { reason };
    }
    if (stop.signal.aborted || !still()) {
      throw { reason: "left" };
    }
  }
}

/** A series: `want(index)` asks for one, `arrived(index, image)` is called when it is there and still wanted; what lies
    around comes by itself. One request is under way at a time: a drag along a series asks for where it stands, no more. */
export function series(file, seen, images, arrived) {
  const kept = new Map(); // index -> image
  let near = 0; // the image wanted
  let flight = null; // the request under way: { indexes, stop, soon } where `soon` is what nobody looks at yet
  let running = false;
  let held = false; // while one image comes in full
  let closed = false;
  let single = false; // a group failed as a whole: one by one then

  function address(indexes, whole) {
    const wanted = indexes.map((index) => images[index].join(".")).join("-");
    return `${file}?images=${wanted}&vu=${encodeURIComponent(seen)}${whole ? "&entiere" : ""}`;
  }

  function size(image) {
    return image.values ? image.values.byteLength : 0;
  }

  /** Forget the farthest images beyond the limit; whether there were any. */
  function room() {
    let total = 0;
    kept.forEach((image) => {
      total += size(image);
    });
    const far = Array.from(kept.keys()).sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    let evicted = false;
    while (total > KEPT && far.length > 1) {
      const index = far.shift();
      total -= size(kept.get(index));
      kept.delete(index);
      evicted = true;
    }
    return evicted;
  }

  async function fetched(indexes, how, still) {
    const mine = { indexes, stop: new AbortController(), soon: how !== "wanted" };
    flight = mine;
    try {
      const read = async (answer) => unpacked(await answer.arrayBuffer());
      return await ask(address(indexes, how === "whole"), read, mine.stop, still);
    } finally {
      if (flight === mine) {
        flight = null;
      }
    }
  }

  /** The image looked at; false when it cannot be had now. */
  async function wanted() {
    const index = near;
    try {
      kept.set(index, (await fetched([index], "wanted", () => near === index && !closed))[0]);
    } catch (error) {
      if (index !== near || closed || error.reason === "left") {
        return true;
      }
      if (passing(error.reason)) {
        arrived(index, { error: error.reason });
        return false;
      }
      kept.set(index, { error: error.reason });
    }
    room();
    if (index === near && !closed) {
      arrived(index, kept.get(index));
    }
    return true;
  }

  /** The nearest images that are not here yet, as many as one answer holds and memory keeps. */
  function missing() {
    const one = Array.from(kept.values()).find((image) => size(image) && !image.whole);
    const bytes = one ? size(one) : TOGETHER;
    const most = single ? 1 : Math.max(1, Math.min(MOST, Math.floor(TOGETHER / bytes)));
    const reach = Math.min(images.length, Math.floor((KEPT / bytes - 1) / 2));
    const found = [];
    for (let away = 0; away <= reach && found.length < most; away += 1) {
      [near + away, near - away].forEach((index) => {
        if (index >= 0 && index < images.length && found.length < most && !found.includes(index) && !kept.has(index)) {
          found.push(index);
        }
      });
    }
    return found;
  }

  /** What lies around; false when there is nothing more, or no room for it. */
  async function around() {
    const indexes = missing();
    if (!indexes.length) {
      return false;
    }
    try {
      const found = await fetched(indexes, "soon", () => kept.has(near) && !closed && !held);
      found.forEach((image, at) => kept.set(indexes[at], image));
    } catch (error) {
      if (error.reason === "left" || !kept.has(near)) {
        return true; // given up for the image looked at now
      }
      if (passing(error.reason)) {
        return false;
      }
      if (indexes.length > 1) {
        single = true;
      } else {
        kept.set(indexes[0], { error: error.reason });
      }
      return true;
    }
    if (indexes.includes(near) && !closed) {
      arrived(near, kept.get(near)); // asked for before it was looked at
    }
    return !room();
  }

  async function run() {
    if (running) {
      return;
    }
    running = true;
    let more = true;
    while (more && !closed && !held) {
      more = kept.has(near) ? await around() : await wanted();
    }
    running = false;
  }

  return {
    length: images.length,
    has: (index) => kept.has(index),
    want(index) {
      near = index;
      if (flight && flight.soon && !flight.indexes.includes(index) && (held || !kept.has(index))) {
        flight.stop.abort();
      }
      if (kept.has(index)) {
        arrived(index, kept.get(index));
      }
      run();
    },
    /** The same image in its full definition. Throws { reason }. */
    async whole(index) {
      held = true;
      if (flight) {
        flight.stop.abort();
      }
      try {
        const [found] = await fetched([index], "whole", () => near === index && !closed);
        kept.set(index, Object.assign(found, { whole: true }));
        room();
        return found;
      } finally {
        held = false;
        run();
      }
    },
    /** Ask no more: another series is looked at. */
    close() {
      closed = true;
      if (flight) {
        flight.stop.abort();
      }
    },
  };
}
