/* The images of a file: asked by the server a few at a time, those near the one looked at first, kept up to a limit. */

import { unpacked } from "./pixels.js";

const KEPT = 192 * 1024 * 1024; // bytes of decoded images: a ward's computer has little memory
const TOGETHER = 6 * 1024 * 1024; // bytes of one answer, before it is compressed
const MOST = 32; // images of one answer
const TRIES = 6;

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Ask the file's address; throws { reason } for what cannot be had, after trying again what may pass. */
export async function ask(address, read) {
  for (let tried = 1; ; tried += 1) {
    let reason = "line";
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (answer.status === 404 || answer.status === 403 || answer.redirected) {
        reason = "gone";
      } else if (answer.ok) {
        return await read(answer);
      }
    } catch (error) {
      reason = error.reason || "line";
    }
    if (tried === TRIES || (reason !== "busy" && reason !== "line")) {
      throw { reason };
    }
    await pause(700 * tried);
  }
}

/** A series: `image(index)` gives one, now or soon; what lies around comes by itself. */
export function series(file, seen, images) {
  const kept = new Map(); // index -> image
  const asked = new Map(); // index -> promise
  let near = 0;
  let ahead = false;
  let single = false; // a group failed as a whole: one by one then

  function address(indexes, whole) {
    const wanted = indexes.map((index) => images[index].join(".")).join("-");
    return `${file}?images=${wanted}&vu=${encodeURIComponent(seen)}${whole ? "&entiere" : ""}`;
  }

  function size(image) {
    return image.values ? image.values.byteLength : 0;
  }

  function room() {
    let total = 0;
    kept.forEach((image) => {
      total += size(image);
    });
    const far = Array.from(kept.keys()).sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    while (total > KEPT && far.length > 1) {
      const index = far.shift();
      total -= size(kept.get(index));
      kept.delete(index);
    }
    return KEPT - total;
  }

  async function fetched(indexes) {
    const found = await ask(address(indexes, false), async (answer) => unpacked(await answer.arrayBuffer()));
    found.forEach((image, at) => kept.set(indexes[at], image));
  }

  function group(indexes) {
    const promise = fetched(indexes).then(
      () => indexes.forEach((index) => asked.delete(index)),
      (error) => {
        indexes.forEach((index) => asked.delete(index));
        if (indexes.length > 1) {
          single = true;
        } else {
          kept.set(indexes[0], { error: error.reason });
        }
      }
    );
    indexes.forEach((index) => asked.set(index, promise));
    return promise;
  }

  /** The nearest images that are not here yet, as many as one answer holds and memory keeps. */
  function missing() {
    const one = Array.from(kept.values()).find(size);
    const bytes = one ? size(one) : TOGETHER;
    const most = single ? 1 : Math.max(1, Math.min(MOST, Math.floor(TOGETHER / bytes)));
    const reach = Math.min(images.length, Math.floor(KEPT / bytes / 2));
    const found = [];
    for (let away = 0; away <= reach && found.length < most; away += 1) {
      [near + away, near - away].forEach((index) => {
        if (index >= 0 && index < images.length && found.length < most && !found.includes(index)) {
          if (!kept.has(index) && !asked.has(index)) {
            found.push(index);
          }
        }
      });
    }
    return found;
  }

  async function fill() {
    if (ahead) {
      return;
    }
    ahead = true;
    for (let indexes = missing(); indexes.length; indexes = missing()) {
      await group(indexes);
      room();
    }
    ahead = false;
  }

  return {
    length: images.length,
    has: (index) => kept.has(index),
    async image(index) {
      near = index;
      if (!kept.has(index)) {
        await (asked.get(index) || group([index]));
        if (!kept.has(index)) {
          await group([index]); // its group failed as a whole
        }
      }
      setTimeout(fill, 0);
      return kept.get(index);
    },
    /** The same image in its full definition. */
    async whole(index) {
      const found = await ask(address([index], true), async (answer) => unpacked(await answer.arrayBuffer()));
      kept.set(index, found[0]);
      return found[0];
    },
  };
}
