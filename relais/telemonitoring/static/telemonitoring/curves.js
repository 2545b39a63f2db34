/* [data-curve='{points, zones, low, high, days, last}']: the curve of a measure in its [data-curve-plot], over the
   zones of the alert rules. What it shows is in the caption and in a table too: nothing is to be pressed here. */

import "./media.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { all, onContent } from "../core/ui/ready.js";

const HEIGHT = 180;
const LABEL = 11; // px of a zone's word
const DAY = 34; // px that the name of a day wants
const SOFT = { orange: "--warning-soft", rouge: "--danger-soft" };
const INK = { orange: "--warning-ink", rouge: "--danger-ink" };
let drawn = [];

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function font(size) {
  return `${size * window.devicePixelRatio}px ${token("--font")}`;
}

/* The zones behind the curve, each with its word where there is room: colour is never alone. */
function zones(plot, given) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  given.zones.forEach(([level, first, last, word]) => {
    const top = Math.max(plot.valToPos(last, "y", true), bbox.top);
    const bottom = Math.min(plot.valToPos(first, "y", true), bbox.top + bbox.height);
    if (bottom <= top) {
      return;
    }
    ctx.fillStyle = token(SOFT[level]);
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    const size = LABEL * window.devicePixelRatio;
    if (bottom - top > size * 1.2) {
      ctx.fillStyle = token(INK[level]);
      ctx.font = font(LABEL);
      ctx.textAlign = "left";
      ctx.textBaseline = "middle";
      ctx.fillText(word, bbox.left + size / 2, (top + bottom) / 2);
    }
  });
  ctx.restore();
}

/* A day is named at its noon, as many of them as the width takes. */
function noons(plot, _axis, first, last) {
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, Math.floor(plot.bbox.width / window.devicePixelRatio / DAY))));
  const found = [];
  for (let day = first + 0.5; day < last; day += step) {
    found.push(day);
  }
  return found;
}

function axis(more) {
  const line = () => token("--line");
  return Object.assign(
    { stroke: () => token("--ink-soft"), font: `12px ${token("--font")}`, grid: { stroke: line, width: 1 }, ticks: { stroke: line } },
    more
  );
}

function figure(value) {
  return String(Math.round(value * 10) / 10).replace(".", ",");
}

/* A curve wider than its place would hide the last values: the rail that opens resizes no window. */
function fit() {
  drawn.forEach(({ plot, place }) => {
    if (place.clientWidth && place.clientWidth !== plot.width) {
      plot.setSize({ width: place.clientWidth, height: HEIGHT });
    }
  });
}

// eslint-disable-next-line compat/compat -- asked for first; without it, a window that is resized
const watcher = "ResizeObserver" in window ? new window.ResizeObserver(fit) : null;
if (!watcher) {
  window.addEventListener("resize", fit);
}

function draw(element) {
  const place = element.querySelector("[data-curve-plot]");
  if (!place || place.firstChild) {
    return;
  }
  const given = JSON.parse(element.dataset.curve);
  place.hidden = false;
  const ink = () => token("--brand-ink");
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    padding: [8, 12, 0, 0],
    scales: { x: { time: false, range: given.days }, y: { range: [given.low, given.high] } },
    axes: [
      axis({ splits: noons, values: (plot, splits) => splits.map((day) => `J${Math.floor(day)}`), size: 32 }),
      axis({ size: 44, space: 28, incrs: [1, 2, 5, 10, 20, 50], values: (plot, splits) => splits.map(figure) }),
    ],
    series: [
      {},
      { stroke: ink, width: 2, spanGaps: true, points: { show: true, size: 7, width: 2, stroke: ink, fill: () => token("--surface") } },
    ],
    hooks: { drawClear: [(plot) => zones(plot, given)] },
  };
  const plot = new uPlot(options, [given.points.map((one) => one[0]), given.points.map((one) => one[1])], place);
  drawn.push({ plot, place });
  if (watcher) {
    watcher.observe(place);
  }
}

/* Those that a live page has replaced meanwhile. */
function forget() {
  drawn.filter((one) => !one.place.isConnected).forEach((one) => one.plot.destroy());
  drawn = drawn.filter((one) => one.place.isConnected);
}

onContent((root) => {
  forget();
  all(root, "[data-curve]").forEach(draw);
});

new MutationObserver(() => drawn.forEach(({ plot }) => plot.redraw(false))).observe(document.documentElement, {
  attributes: true,
  attributeFilter: ["data-bs-theme"],
});
