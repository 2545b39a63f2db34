/* The self-test, one step after the other. Nothing is asked of the browser before the button is pressed; a step that
   fails says what to do on this device, and the next one follows. */

import * as media from "../call/media.js";
import { every, find, make, show, text } from "../call/page.js";
import { post } from "../call/server.js";
import { judge, measure } from "./network.js";
import { listen, playTone } from "./sound.js";

const HEARD = 0.06;
const PATIENCE = 12000; // to say a word
const config = JSON.parse(find("#selftest-config").textContent);
const parts = {};
let facts = {};

function platform() {
  const agent = navigator.userAgent;
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1)) {
    return "ios";
  }
  return /Android/.test(agent) ? "android" : "computer";
}

function step(name) {
  return find(`[data-step="${name}"]`);
}

function detail(name) {
  return step(name).querySelector("[data-detail]");
}

function state(name, word, sentence) {
  const box = step(name);
  box.dataset.state = word;
  box.querySelector("[data-state-word]").textContent = text(`state-${word}`);
  box.querySelector("[data-note]").textContent = sentence || "";
}

function end(name, ok, key) {
  const sentence = [text(key), text(`${key}-${platform()}`)].join(" ").trim();
  parts[name] = { result: ok ? "ok" : "ko", note: sentence };
  state(name, ok ? "ok" : "ko", sentence);
  show(detail(name), false);
}

function ask(name, choices) {
  return new Promise((resolve) => {
    const place = step(name).querySelector("[data-answers]");
    place.textContent = "";
    choices.forEach(([key, value], index) => {
      const button = make("button", index ? "btn btn-secondary" : "btn btn-primary", text(key));
      button.type = "button";
      button.addEventListener("click", () => {
        place.textContent = "";
        resolve(value);
      });
      place.append(button);
    });
    show(detail(name), true);
    step(name).scrollIntoView({ block: "nearest" });
    place.querySelector("button").focus();
  });
}

function browser() {
  const obstacle = media.obstacle();
  end("browser", !obstacle, obstacle || "browser-ok");
  return !obstacle;
}

async function camera() {
  try {
    await media.open(false, true);
  } catch (error) {
    end("camera", false, `camera-${media.explain(error)}`);
    return;
  }
  const video = step("camera").querySelector("video");
  video.srcObject = new MediaStream([media.track("video")]);
  video.play().catch(() => {});
  const seen = await ask("camera", [["camera-yes", true], ["camera-no", false]]);
  video.srcObject = null;
  media.stop("video");
  end("camera", seen, seen ? "camera-ok" : "camera-black");
}

async function microphone() {
  try {
    await media.open(true, false);
  } catch (error) {
    end("microphone", false, `microphone-${media.explain(error)}`);
    return;
  }
  show(detail("microphone"), true);
  const meter = step("microphone").querySelector("meter");
  const heard = await new Promise((resolve) => {
    let high = 0;
    const timer = setTimeout(() => finish(false), PATIENCE);
    const stop = listen(media.track("audio"), (level) => {
      meter.value = level;
      high = level > HEARD ? high + 1 : high;
      if (high >= 4) {
        finish(true);
      }
    });
    function finish(found) {
      clearTimeout(timer);
      stop();
      resolve(found);
    }
  });
  media.stop("audio");
  end("microphone", heard, heard ? "microphone-ok" : "microphone-silent");
}

async function speaker() {
  playTone().catch(() => {});
  let answer = "again";
  while (answer === "again") {
    answer = await ask("speaker", [["speaker-yes", "yes"], ["speaker-again", "again"], ["speaker-no", "no"]]);
    if (answer === "again") {
      playTone().catch(() => {});
    }
  }
  end("speaker", answer === "yes", answer === "yes" ? "speaker-ok" : "speaker-silent");
}

async function network() {
  try {
    facts = await measure(config.urls, document.querySelector('meta[name="csrf-token"]').content);
  } catch (error) {
    end("network", false, "network-away");
    return;
  }
  const { ok, key } = judge(facts);
  end("network", ok, key);
  find("[data-figures]").textContent = `${facts.delay_ms} ms · ↓ ${(facts.down_kbps / 1000).toFixed(1)} Mbit/s · ↑ ${(facts.up_kbps / 1000).toFixed(1)} Mbit/s`;
}

function summary(kept) {
  const failed = Object.keys(parts).some((name) => parts[name].result === "ko");
  const box = find("[data-summary]");
  box.dataset.state = failed ? "ko" : "ok";
  find("[data-summary-text]").textContent = `${text(failed ? "result-ko" : "result-ok")} ${kept ? "" : text("result-lost")}`;
  show(box, true);
  show(find("[data-report]"), kept);
  find("[data-start]").querySelector("span").textContent = text("start-again");
  show(find("[data-start]"), true);
  box.focus();
}

async function run() {
  show(find("[data-start]"), false);
  show(find("[data-summary]"), false);
  show(find("[data-last]"), false);
  show(find("[data-steps]"), true);
  every("[data-step]").forEach((box) => state(box.dataset.step, "wait"));
  const steps = [
    ["camera", camera],
    ["microphone", microphone],
    ["speaker", speaker],
    ["network", network],
  ];
  state("browser", "now");
  if (browser()) {
    for (const [name, work] of steps) {
      state(name, "now", text(`${name}-now`));
      step(name).scrollIntoView({ block: "nearest" });
      await work();
    }
  }
  const answer = await post(config.urls.save, { parts, facts });
  summary(answer.status === 200);
}

find("[data-start]").addEventListener("click", run);
find("[data-start]").disabled = false; // before, a press would have done nothing
window.addEventListener("pagehide", media.stopAll);
