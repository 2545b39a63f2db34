/* The canvas: one picture, its place, size and turn; lines of measure over it. */

const LARGEST = 16; // times

const OPPOSITE = { D: "G", G: "D", A: "P", P: "A", H: "B", B: "H" };

/** A stage on `canvas`. `show(picture)`: { source, width, height, aspect, sides } where `sides` names the side of the body
    that the picture's right and bottom look to (French letters), or is empty. */
export function stage(canvas) {
  const context = canvas.getContext("2d");
  const lines = []; // { from, to, words } in pixels of the picture
  let picture = null;
  let size = ""; // of the last picture: the next one of the same keeps its place
  let zoom = 1; // screen pixels for a pixel of the picture
  let across = 0;
  let down = 0;
  let quarter = 0;
  let fitted = true;
  let waiting = false;
  let changed = () => {};

  function wide() {
    return quarter % 2 ? picture.height * picture.aspect : picture.width;
  }

  function high() {
    return quarter % 2 ? picture.width : picture.height * picture.aspect;
  }

  function fitting() {
    return Math.min(canvas.width / wide(), canvas.height / high());
  }

  function matrix() {
    const place = [canvas.width / 2 + across, canvas.height / 2 + down];
    const cos = [1, 0, -1, 0][quarter];
    const sin = [0, 1, 0, -1][quarter];
    const x = zoom;
    const y = zoom * picture.aspect;
    return [cos * x, sin * x, -sin * y, cos * y, place[0], place[1]];
  }

  function draw() {
    waiting = false;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!picture) {
      return;
    }
    context.setTransform(...matrix());
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.source, -picture.width / 2, -picture.height / 2, picture.width, picture.height);
    lines.forEach(line);
    edges();
    changed(zoom / (window.devicePixelRatio || 1));
  }

  function line({ from, to, words }) {
    const ratio = window.devicePixelRatio || 1;
    const [x1, y1] = onCanvas(from);
    const [x2, y2] = onCanvas(to);
    context.setTransform(1, 0, 0, 1, 0, 0);
    [
      ["#000000", 4],
      ["#ffd75e", 2],
    ].forEach(([colour, thick]) => {
      context.strokeStyle = colour;
      context.lineWidth = thick * ratio;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      [
        [x1, y1],
        [x2, y2],
      ].forEach(([x, y]) => {
        context.beginPath();
        context.arc(x, y, 4 * ratio, 0, 2 * Math.PI);
        context.stroke();
      });
    });
    context.font = `600 ${14 * ratio}px sans-serif`;
    context.lineWidth = 4 * ratio;
    context.strokeStyle = "#000000";
    context.fillStyle = "#ffd75e";
    context.strokeText(words, x2 + 8 * ratio, y2 - 8 * ratio);
    context.fillText(words, x2 + 8 * ratio, y2 - 8 * ratio);
  }

  /* The letters of the sides, which turn with the picture. */
  function edges() {
    const [right, bottom] = picture.sides || [];
    if (!right) {
      return;
    }
    const ratio = window.devicePixelRatio || 1;
    const clockwise = [right, bottom, OPPOSITE[right], OPPOSITE[bottom]];
    const edge = 16 * ratio;
    const { width, height } = canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.font = `600 ${15 * ratio}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 4 * ratio;
    context.strokeStyle = "#000000";
    context.fillStyle = "#ffffff";
    [
      [width - edge, height / 2],
      [width / 2, height - edge],
      [edge, height / 2],
      [width / 2, edge],
    ].forEach(([x, y], at) => {
      const letter = clockwise[(at - quarter + 4) % 4];
      context.strokeText(letter, x, y);
      context.fillText(letter, x, y);
    });
    context.textAlign = "start";
    context.textBaseline = "alphabetic";
  }

  function onCanvas([x, y]) {
    const [a, b, c, d, e, f] = matrix();
    const left = x - picture.width / 2;
    const top = y - picture.height / 2;
    return [a * left + c * top + e, b * left + d * top + f];
  }

  function later() {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  }

  function fit() {
    fitted = true;
    if (!picture) {
      return;
    }
    zoom = fitting();
    across = 0;
    down = 0;
    later();
  }

  function resize() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (picture && fitted) {
      fit();
    } else {
      later();
    }
  }

  function zoomBy(times, x, y) {
    if (!picture) {
      return;
    }
    const least = Math.min(fitting(), 1) / 2;
    const next = Math.max(least, Math.min(LARGEST * Math.max(1, fitting()), zoom * times));
    const ratio = window.devicePixelRatio || 1;
    const left = (x === undefined ? 0 : x * ratio - canvas.width / 2) - across;
    const top = (y === undefined ? 0 : y * ratio - canvas.height / 2) - down;
    across += left - (left * next) / zoom;
    down += top - (top * next) / zoom;
    zoom = next;
    fitted = false;
    later();
  }

  window.addEventListener("resize", resize);
  return {
    lines,
    fit,
    resize,
    zoomBy,
    later,
    show(next) {
      const same = size === `${next.width} ${next.height}`;
      size = `${next.width} ${next.height}`;
      picture = next;
      if (!same || fitted) {
        fit();
      }
      later();
    },
    /** Nothing is shown until the next picture. */
    empty() {
      picture = null;
      later();
    },
    pan(x, y) {
      const ratio = window.devicePixelRatio || 1;
      across += x * ratio;
      down += y * ratio;
      fitted = false;
      later();
    },
    turn() {
      quarter = (quarter + 1) % 4;
      fit();
    },
    /** The point of the picture under a point of the canvas (in CSS pixels). */
    under(x, y) {
      const ratio = window.devicePixelRatio || 1;
      const [a, b, c, d, e, f] = matrix();
      const left = x * ratio - e;
      const top = y * ratio - f;
      const whole = a * d - b * c;
      return [(d * left - c * top) / whole + picture.width / 2, (a * top - b * left) / whole + picture.height / 2];
    },
    whenDrawn(tell) {
      changed = tell;
    },
  };
}
