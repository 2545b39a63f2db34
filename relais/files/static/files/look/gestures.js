/* Fingers, mouse and wheel on the canvas. One finger or button does what the tool says; two fingers move and resize. */

/** `on`: { drag(dx, dy, event), start(x, y), end(), zoom(times, x, y), pan(dx, dy), step(images) or null }. */
export function gestures(canvas, on) {
  const fingers = new Map();
  let spread = 0;
  let rolled = 0;

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function two() {
    const [[x1, y1], [x2, y2]] = Array.from(fingers.values());
    return { apart: Math.hypot(x1 - x2, y1 - y2), x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) {
      on.start(...place(event), event.button === 1 || event.button === 2);
    } else if (fingers.size === 2) {
      on.end(true);
      spread = two().apart;
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) {
      return;
    }
    const now = place(event);
    const middle = fingers.size === 2 ? two() : null;
    fingers.set(event.pointerId, now);
    if (middle) {
      const after = two();
      on.pan(after.x - middle.x, after.y - middle.y);
      on.zoom(after.apart / (spread || after.apart), after.x, after.y);
      spread = after.apart;
    } else if (fingers.size === 1) {
      on.drag(now[0] - before[0], now[1] - before[1], now);
    }
  });
  ["pointerup", "pointercancel"].forEach((name) => {
    canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      if (!fingers.size) {
        on.end(name === "pointercancel");
      }
    });
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode ? event.deltaY : event.deltaY / 40;
      if (on.step && !event.ctrlKey) {
        rolled += Math.max(-1, Math.min(1, lines));
        const images = Math.trunc(rolled);
        rolled -= images;
        if (images) {
          on.step(images);
        }
      } else {
        on.zoom(Math.pow(1.1, -Math.max(-3, Math.min(3, lines))), ...place(event));
      }
    },
    { passive: false }
  );
}
