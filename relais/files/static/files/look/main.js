/* The page of a look: closes itself, and starts what shows a picture or DICOM images. */

import { dicom } from "./dicom.js";
import { gestures } from "./gestures.js";
import { stage } from "./stage.js";

const root = document.querySelector("[data-look-root]");
const framed = window.parent !== window;

function close() {
  if (framed) {
    window.parent.postMessage("relais:look-close", window.location.origin);
  } else {
    window.location.assign(root.querySelector("[data-look-close]").href);
  }
}

root.querySelector("[data-look-close]").addEventListener("click", (event) => {
  if (framed) {
    event.preventDefault();
    close();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) {
    close();
  }
});

/* Buttons [data-do] that every picture has. */
function sizes(onStage) {
  const doing = {
    in: () => onStage.zoomBy(1.25),
    out: () => onStage.zoomBy(0.8),
    turn: () => onStage.turn(),
    reset: () => onStage.fit(),
  };
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && doing[button.dataset.do]) {
      doing[button.dataset.do]();
    }
  });
}

/* Keys, while the picture has the focus. */
function keys(canvas, onStage, more) {
  const doing = { "+": () => onStage.zoomBy(1.25), "-": () => onStage.zoomBy(0.8), t: onStage.turn, r: onStage.fit };
  Object.assign(doing, { "=": doing["+"] }, more);
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const name = (event.shiftKey && event.key.startsWith("Arrow") ? "Shift" : "") + event.key;
    const act = doing[name] || doing[name.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

function picture(canvas) {
  const image = root.querySelector("[data-look-picture]");
  const onStage = stage(canvas);
  const begin = () => {
    canvas.hidden = false;
    root.querySelector("[data-look-bar]").hidden = false;
    image.hidden = true;
    onStage.resize();
    onStage.show({ source: image, width: image.naturalWidth, height: image.naturalHeight, aspect: 1 });
    canvas.dataset.shown = "1";
  };
  canvas.dataset.tool = "pan";
  gestures(canvas, { start() {}, end() {}, drag: onStage.pan, zoom: onStage.zoomBy, pan: onStage.pan, step: null });
  keys(canvas, onStage, {
    ArrowLeft: () => onStage.pan(40, 0),
    ArrowRight: () => onStage.pan(-40, 0),
    ArrowUp: () => onStage.pan(0, 40),
    ArrowDown: () => onStage.pan(0, -40),
  });
  sizes(onStage);
  if (image.complete && image.naturalWidth) {
    begin();
  } else {
    image.addEventListener("load", begin);
  }
}

const drawing = root.querySelector("[data-look-canvas]");
if (root.dataset.lookRoot === "picture") {
  picture(drawing);
} else if (root.dataset.lookRoot === "dicom") {
  const onStage = stage(drawing);
  sizes(onStage);
  dicom(root, drawing, onStage, keys);
}
