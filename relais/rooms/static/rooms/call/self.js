/* One's own image: small, in a corner of one's choice, moved by dragging or, by keyboard, from corner to corner. */

import * as media from "./media.js";
import { find, show } from "./page.js";

let shown = false;
let dragged = false;

function fill(video, track) {
  const current = video.srcObject && video.srcObject.getVideoTracks()[0];
  if (!track) {
    video.srcObject = null;
  } else if (current !== track) {
    video.srcObject = new MediaStream([track]);
    const playing = video.play();
    if (playing) {
      playing.catch(() => {});
    }
  }
}

/** Draw the camera as it is now, large before the call, small inside. */
export function draw(inside) {
  shown = inside;
  const track = media.track("video");
  fill(find("[data-self-video]"), inside ? track : null);
  fill(find("[data-preview-video]"), inside ? null : track);
  show(find("[data-preview-video]"), Boolean(track));
  show(find("[data-preview-off]"), !track);
  show(find("[data-self]"), inside);
  show(find("[data-self-off]"), !track);
  const settings = track && track.getSettings ? track.getSettings() : {};
  find("[data-room]").classList.toggle("is-mirrored", settings.facingMode !== "environment");
}

function move(box, corner) {
  box.dataset.corner = String(corner);
  box.style.transform = "";
}

/** Let it be moved. Corners are numbered clockwise from the bottom right. */
export function bind() {
  const box = find("[data-self]");
  let start = null;
  box.addEventListener("pointerdown", (event) => {
    start = { x: event.clientX, y: event.clientY };
    dragged = false;
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    if (!start || !shown) {
      return;
    }
    const x = event.clientX - start.x;
    const y = event.clientY - start.y;
    dragged = dragged || Math.abs(x) + Math.abs(y) > 8;
    if (dragged) {
      box.style.transform = `translate(${x}px, ${y}px)`;
    }
  });
  box.addEventListener("pointerup", () => {
    if (start && dragged) {
      const room = find("[data-room]").getBoundingClientRect();
      const mine = box.getBoundingClientRect();
      const right = mine.left + mine.width / 2 > room.left + room.width / 2;
      const low = mine.top + mine.height / 2 > room.top + room.height / 2;
      move(box, low ? (right ? 1 : 2) : right ? 4 : 3);
    }
    start = null;
  });
  box.addEventListener("pointercancel", () => {
    start = null;
    box.style.transform = "";
  });
  box.addEventListener("click", () => {
    if (!dragged) {
      move(box, (Number(box.dataset.corner) % 4) + 1);
    }
    dragged = false;
  });
}
