/* DICOM images looked at: which one, through which window, with what is written around it. */

import { gestures } from "./gestures.js";
import { paint } from "./pixels.js";
import { ask, series } from "./series.js";

const SIDES = { L: "G", R: "D", A: "A", P: "P", H: "H", F: "B" }; // gauche, droite, avant, arrière (P), haut, bas

export async function dicom(root, canvas, onStage, keys) {
  const find = (name) => root.querySelector(`[data-look-${name}]`);
  const button = (name) => root.querySelector(`[data-do="${name}"]`);
  const corner = (name) => root.querySelector(`[data-corner="${name}"]`);
  const { file, seen } = root.dataset;
  const inner = document.createElement("canvas");
  const range = find("range");
  const preset = find("preset");
  let told = null; // what the file holds
  let current = null; // the series looked at
  let images = null;
  let index = 0;
  let shown = null; // the image drawn
  let centre = 0;
  let width = 1;
  let inverted = false;
  let tool = "window";
  let measuring = null;
  let repainting = false;

  function words(name) {
    return root.querySelector(`[data-say="${name}"]`).textContent;
  }

  function say(name) {
    find("say").textContent = name ? words(name) : "";
    find("say").hidden = !name;
  }

  function rounded(number) {
    return String(Math.abs(number) < 10 ? Math.round(number * 10) / 10 : Math.round(number)).replace(".", ",");
  }

  function date(text) {
    return /^\d{8}$/.test(text) ? `${text.slice(6)}/${text.slice(4, 6)}/${text.slice(0, 4)}` : text;
  }

  function around(zoom) {
    const scale = `${Math.round((zoom * 100) / (shown.reduced || 1))} %`;
    const reduced = shown.reduced > 1 ? `\n${words("reduced")}` : "";
    const level = shown.channels === 1 ? `${words("window")} ${rounded(centre)} / ${rounded(width)}\n` : "";
    corner("window").textContent = `${level}${scale}${reduced}`;
  }

  function beside() {
    const thick = shown.thickness ? `\n${words("thickness")} ${rounded(shown.thickness)} mm` : "";
    const place = typeof shown.place === "number" ? `\n${shown.place.toFixed(1).replace(".", ",")} mm` : "";
    corner("place").textContent = `${words("image")} ${index + 1} / ${images.length}${place}${thick}`;
  }

  function people() {
    const one = told.people[0];
    const name = one.name.split("=")[0].replace(/\^+/g, " ").trim();
    const lines = [name, one.born ? `${words("born")} ${date(one.born)}` : "", one.id];
    corner("person").textContent = told.people.length === 1 ? lines.filter(Boolean).join("\n") : "";
    corner("person").classList.toggle("is-other", told.whose === "other");
    find("warning").hidden = !told.warning;
    find("warning").classList.toggle("is-danger", told.whose === "other");
    find("missing").hidden = !told.missing;
    find("missing-text").textContent = told.missing || "";
    if (told.warning) {
      find("warning-title").textContent = words(told.whose);
      find("warning-text").textContent = told.warning;
    }
  }

  function repaint() {
    repainting = false;
    if (!shown) {
      return; // another image is awaited since
    }
    paint(inner, shown, centre, width, inverted);
    const [down, right] = shown.spacing || [1, 1];
    const sides = (shown.sides || []).map((letter) => SIDES[letter]);
    onStage.show({ source: inner, width: shown.columns, height: shown.rows, aspect: down / right, sides });
    canvas.dataset.shown = String(index + 1);
  }

  function later() {
    if (!repainting && shown) {
      repainting = true;
      requestAnimationFrame(repaint);
    }
  }

  function through(next, wide, name) {
    centre = next;
    width = Math.max(1, wide);
    preset.value = name;
    later();
  }

  function own() {
    if (shown && shown.windows) {
      through(shown.windows[0][0], shown.windows[0][1], "own");
    }
  }

  function unmeasured() {
    measuring = null;
    onStage.lines.length = 0;
  }

  /* Nothing of another image stays under the number of this one: neither its picture, nor its measures. */
  function empty() {
    shown = null;
    unmeasured();
    onStage.empty();
    corner("window").textContent = "";
    corner("place").textContent = "";
    button("full").hidden = true;
    delete canvas.dataset.shown;
  }

  function draw(image) {
    unmeasured();
    if (image.error) {
      empty();
      say(image.error);
      return;
    }
    say("");
    shown = image;
    preset.options[0].text = words(image.proposed ? "proposed" : "own");
    root.querySelectorAll("[data-ct]").forEach((option) => {
      option.hidden = option.disabled = current.modality !== "CT" || image.mapped; // other values are no Hounsfield units
    });
    if (preset.selectedOptions[0].hasAttribute("data-ct") && preset.selectedOptions[0].disabled) {
      preset.value = "own";
    }
    if (preset.value === "own") {
      own();
    }
    preset.hidden = image.channels !== 1;
    root.querySelector('[data-tool="measure"]').hidden = !image.spacing;
    button("full").hidden = !(image.reduced > 1) || image.whole;
    beside();
    later();
  }

  function go(next) {
    index = Math.max(0, Math.min(images.length - 1, next));
    range.value = String(index + 1);
    range.setAttribute("aria-valuetext", `${index + 1} / ${images.length}`);
    find("count").textContent = `${index + 1} / ${images.length}`;
    if (!images.has(index)) {
      empty();
      say("loading");
    }
    images.want(index);
  }

  function choose(at) {
    if (images) {
      images.close();
    }
    current = told.series[at];
    images = series(file, seen, current.images, (which, image) => which === index && draw(image));
    preset.value = "own";
    corner("series").textContent = [current.modality, current.label, date(current.date)].filter(Boolean).join("\n");
    range.max = String(images.length);
    find("slider").hidden = images.length < 2;
    go(current.images.length > 2 && current.modality === "CT" ? Math.floor(images.length / 2) : 0);
  }

  async function full() {
    const from = images;
    const wanted = index;
    let found = null;
    let failed = "";
    button("full").hidden = true;
    say("loading");
    try {
      found = await images.whole(wanted);
    } catch (error) {
      failed = error.reason;
    }
    if (from !== images || wanted !== index) {
      return; // another image is looked at by now
    }
    if (found) {
      draw(found);
    } else {
      say(failed === "left" ? "" : failed);
      button("full").hidden = !shown;
    }
  }

  function take(name) {
    tool = name;
    canvas.dataset.tool = name;
    root.querySelectorAll("[data-tool][aria-pressed]").forEach((each) => {
      each.setAttribute("aria-pressed", String(each.dataset.tool === name));
    });
  }

  function invert() {
    inverted = !inverted;
    button("invert").setAttribute("aria-pressed", String(inverted));
    later();
  }

  function nudge(along, wide) {
    const step = Math.max(1, width / 40);
    through(centre + along * step, width + wide * step, "hand");
  }

  function length([x1, y1], [x2, y2]) {
    const by = shown.reduced;
    const [down, right] = shown.spacing;
    const long = Math.hypot((x2 - x1) * right * by, (y2 - y1) * down * by);
    return `${long.toFixed(1).replace(".", ",")} mm${shown.detector ? ` (${words("detector")})` : ""}`;
  }

  const hand = {
    start(x, y, other) {
      measuring = null;
      hand.moves = other || tool === "pan";
      if (!hand.moves && tool === "measure" && shown && shown.spacing) {
        const from = onStage.under(x, y);
        measuring = { from, to: from, words: "" };
        onStage.lines.push(measuring);
      }
    },
    drag(dx, dy, [x, y]) {
      if (hand.moves) {
        onStage.pan(dx, dy);
      } else if (measuring) {
        measuring.to = onStage.under(x, y);
        measuring.words = length(measuring.from, measuring.to);
        onStage.later();
      } else if (tool === "window" && shown && shown.channels === 1) {
        const step = Math.max(0.5, width / 250);
        through(centre + dy * step, width + dx * step, "hand");
      }
    },
    end(dropped) {
      if (measuring && (dropped || !measuring.words)) {
        onStage.lines.splice(onStage.lines.indexOf(measuring), 1);
        onStage.later();
      }
      measuring = null;
    },
    zoom: onStage.zoomBy,
    pan: onStage.pan,
    step: null,
  };

  take("window");
  onStage.whenDrawn((zoom) => shown && around(zoom));
  try {
    told = await ask(`${file}?serie&vu=${encodeURIComponent(seen)}`, (answer) => answer.json());
  } catch (error) {
    say(error.reason);
    return;
  }
  if (told.error) {
    say(told.error);
    return;
  }
  canvas.hidden = false;
  find("bar").hidden = false;
  people();
  if (told.series.length > 1) {
    const chooser = find("series");
    told.series.forEach((one, at) => {
      chooser.add(new window.Option(`${one.label || one.modality} (${one.images.length})`, String(at)));
    });
    chooser.hidden = false;
    chooser.addEventListener("change", () => choose(Number(chooser.value)));
  }
  if (told.series.some((one) => one.images.length > 1)) {
    hand.step = (by) => go(index + by);
  }
  gestures(canvas, hand);
  keys(canvas, onStage, {
    ArrowUp: () => go(index - 1),
    ArrowDown: () => go(index + 1),
    ArrowLeft: () => go(index - 1),
    ArrowRight: () => go(index + 1),
    Home: () => go(0),
    End: () => go(images.length - 1),
    ShiftArrowUp: () => nudge(1, 0),
    ShiftArrowDown: () => nudge(-1, 0),
    ShiftArrowLeft: () => nudge(0, -1),
    ShiftArrowRight: () => nudge(0, 1),
    i: invert,
  });
  range.addEventListener("input", () => go(Number(range.value) - 1));
  preset.addEventListener("change", () => {
    const [next, wide] = preset.value.split(" ").map(Number);
    if (preset.value === "own") {
      own();
    } else {
      through(next, wide, preset.value);
    }
  });
  root.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-tool]");
    const done = event.target.closest("[data-do]");
    if (chosen && chosen !== canvas) {
      take(chosen.dataset.tool);
    } else if (done) {
      const name = done.dataset.do;
      const doing = { invert, full, previous: () => go(index - 1), next: () => go(index + 1), reset: own };
      if (doing[name]) {
        doing[name]();
      }
    }
  });
  onStage.resize();
  choose(0);
}
