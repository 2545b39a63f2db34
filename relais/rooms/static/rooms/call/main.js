/* The page of the call: before (prepare, wait), inside, after. The server says who may enter and who is there. */

import { storage } from "../../core/ui/ready.js";
import { ring } from "../chime.js";
import { stayAt } from "../presence.js";
import * as capture from "./capture.js";
import * as controls from "./controls.js";
import * as door from "./door.js";
import * as media from "./media.js";
import { openMesh } from "./mesh.js";
import { every, find, say, show, text } from "./page.js";
import * as panel from "./panel.js";
import * as self from "./self.js";
import * as server from "./server.js";
import * as tiles from "./tiles.js";

const STAY = 10000;
const RELOAD = 120000; // a page that comes back within two minutes goes straight in
const config = JSON.parse(find("#call-config").textContent);
const memory = `relais-call ${config.urls.join}`;
let phase = "prepare";
let ready = false; // the person has said how to come in
let entering = false;
let mesh = null;
let entry = null;
let quality = "good";
let hostHere = false;
let stopWaiting = null;
let asking = null; // the state being asked for
let askAgain = false;

function setPhase(name) {
  phase = name;
  find("[data-room]").dataset.phase = name;
  show(find("[data-wait]"), name === "prepare");
  show(find("[data-over]"), name === "over");
  controls.visible(name === "inside");
  self.draw(name === "inside");
  drawAlone();
}

function drawAlone() {
  show(find("[data-alone]"), phase === "inside" && !(mesh && mesh.people().length));
}

function remember() {
  const kept = storage("session");
  if (kept && phase === "inside") {
    const how = { audio: Boolean(media.track("audio")), video: Boolean(media.track("video")), muted: media.muted() };
    kept.setItem(memory, JSON.stringify(Object.assign(how, { at: Date.now() })));
  }
}

function recall() {
  const kept = storage("session");
  const how = kept && JSON.parse(kept.getItem(memory) || "null");
  return how && Date.now() - how.at < RELOAD ? how : null;
}

function forget() {
  const kept = storage("session");
  if (kept) {
    kept.removeItem(memory);
  }
}

function problem(words) {
  find("[data-problem]").textContent = words;
  show(find("[data-problem]"), Boolean(words));
}

/* Before: cameras on wish, then waiting. */

function words(title, sentence) {
  find("[data-wait-title]").textContent = text(title);
  find("[data-wait-text]").textContent = text(sentence);
}

function choose(how) {
  problem("");
  performance.mark("relais:choose");
  const opening = how === "both" || how === "look" ? media.openWhatThereIs() : media.open(how === "audio", false);
  return Promise.resolve(opening).then(
    (missing) => {
      if (missing) {
        say(text(missing));
      }
      if (how === "look") {
        find('[data-choose="both"] span').textContent = text("look");
        show(find('[data-choose="look"]'), false);
        return;
      }
      ready = true;
      if (!config.host) {
        show(find("[data-choice]"), false);
        words("ready-title", "ready");
      }
      tryEnter();
    },
    (error) => problem(text(media.explain(error))),
  );
}

function tryEnter() {
  if (config.host) {
    enter();
  } else {
    refresh();
  }
}

function enter() {
  if (entering || phase === "inside") {
    return;
  }
  entering = true;
  server
    .insist(() => server.post(config.urls.join, {}), () => phase !== "over")
    .then((answer) => {
      entering = false;
      if (answer.status === 200) {
        begin(answer.body);
      } else if (answer.status === 401) {
        over("out");
      } else if (answer.status > 0) {
        problem((answer.body && answer.body.error) || text("MediaError"));
        refresh();
      }
    });
}

/* Inside. */

function begin(answer) {
  entry = answer;
  problem("");
  if (stopWaiting) {
    stopWaiting();
    stopWaiting = null;
  }
  mesh = openMesh({
    config,
    entry,
    joined: (person) => {
      tiles.add(person);
      say(text("came", person.name));
      drawAlone();
    },
    left: (person) => {
      tiles.remove(person);
      if (phase === "inside") {
        say(text("left", person.name));
      }
      drawAlone();
    },
    stream: tiles.attach,
    line: tiles.line,
    told: (person, message) => {
      if ("microphone" in message) {
        tiles.told(person, message);
      } else {
        capture.told(message);
      }
    },
    word: drawQuality,
  });
  setPhase("inside");
  remember();
  drawQuality("good");
  document.body.dispatchEvent(new CustomEvent("relais:inside"));
  apply(answer.state);
}

function drawQuality(word) {
  const box = find("[data-quality]");
  const changed = word !== quality;
  quality = word;
  box.dataset.word = word;
  show(box, phase === "inside");
  const sentence = text(`quality-${word}`);
  if (find("[data-quality-text]").textContent !== sentence) {
    find("[data-quality-text]").textContent = sentence;
  }
  if (changed) {
    stay();
  }
}

function stay() {
  if (phase !== "inside") {
    return;
  }
  server.post(config.urls.stay, { peer: entry.peer, quality, read: mesh.heard() }).then((answer) => {
    if (answer.status === 200 && !answer.body.inside) {
      refresh();
    } else if (answer.status === 401) {
      over("out");
    }
  });
  remember();
}

/* What the server says. */

function refresh() {
  if (phase === "over") {
    return;
  }
  if (asking) {
    askAgain = true;
    return;
  }
  const query = mesh ? `?peer=${entry.peer}&after=${mesh.heard()}` : "";
  const of = mesh;
  asking = server.get(config.urls.state + query).then((answer) => {
    asking = null;
    if (answer.status === 200 && of === mesh) {
      apply(answer.body);
    } else if (answer.status === 401) {
      over("out");
    } else if (answer.status === 404) {
      over("revoked");
    }
    if (askAgain) {
      askAgain = false;
      refresh();
    }
  });
}

function apply(state) {
  if (phase === "over") {
    return;
  }
  if (state.ended) {
    over("ended");
  } else if (state.revoked) {
    over("revoked");
  } else if (phase === "inside") {
    follow(state);
  } else {
    wait(state);
  }
}

function follow(state) {
  if (state.replaced) {
    over("replaced");
  } else if (!state.inside) {
    mesh.close(); // the server gave the seat up, after a long silence: take it again
    mesh = null;
    tiles.clear();
    setPhase("prepare");
    tryEnter();
  } else {
    mesh.follow(state);
    door.draw(state.waiting, config.urls);
    capture.follow(state.captures);
  }
}

function wait(state) {
  if (config.host) {
    door.draw(state.waiting, config.urls);
    return;
  }
  if (state.host_here && !hostHere) {
    ring();
  }
  hostHere = state.host_here;
  if (hostHere && state.admitted && ready) {
    enter();
  } else if (hostHere && state.admitted) {
    words("here-title", "here");
  } else if (hostHere) {
    words("door-title", "door");
  } else if (ready) {
    words("ready-title", "ready");
  }
}

/* After. */

function over(why) {
  if (phase === "over") {
    return;
  }
  capture.end();
  if (mesh) {
    mesh.close();
  }
  mesh = null;
  media.stopAll();
  tiles.clear();
  if (stopWaiting) {
    stopWaiting();
  }
  if (why !== "out") {
    forget();
  }
  const key = why === "ended" && config.host ? "over-ended-host" : `over-${why}`;
  find("[data-over-title]").textContent = text(`over-${why}-title`);
  find("[data-over-text]").textContent = text(key);
  show(find("[data-again]"), why === "left" || why === "replaced" || why === "out");
  show(find("[data-quality]"), false);
  door.draw([], config.urls);
  say("");
  setPhase("over");
  find("[data-over]").focus();
}

function leave() {
  server.farewell(config.urls.leave, { peer: entry.peer });
  over("left");
}

function start() {
  self.bind();
  panel.bind(config.host && window.innerWidth > 900 ? "dossier" : "");
  controls.bind(leave);
  capture.bind(config, () => mesh);
  setPhase("prepare");
  media.onChange(() => {
    self.draw(phase === "inside");
    controls.draw();
    if (mesh) {
      mesh.retrack();
      remember();
    }
  });
  every("[data-choose]").forEach((button) => {
    button.addEventListener("click", () => choose(button.dataset.choose));
    button.disabled = false; // before, a press would have done nothing
  });
  find("[data-again]").addEventListener("click", () => window.location.reload());
  find("[data-watch]").addEventListener("live", refresh);
  setInterval(() => {
    stay();
    refresh();
  }, STAY);
  document.addEventListener("relais:beat", stay);
  window.addEventListener("online", () => {
    refresh();
    if (mesh) {
      mesh.mend();
    }
  });
  window.addEventListener("pagehide", () => {
    if (phase === "inside") {
      remember();
      server.farewell(config.urls.leave, { peer: entry.peer });
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      window.location.reload();
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (capture.busy()) {
      event.preventDefault();
      event.returnValue = "";
    }
  });
  if (!config.host) {
    stopWaiting = stayAt(config.urls.presence, config.about, "waiting");
  }
  refresh();
  const obstacle = media.obstacle();
  if (obstacle) {
    problem(text(obstacle));
    show(find("[data-choice]"), obstacle === "Insecure");
    return;
  }
  const before = recall();
  if (before) {
    const both = before.audio && before.video;
    choose(both ? "both" : before.audio ? "audio" : "none").then(() => media.mute(before.muted && before.audio));
  }
}

start();
