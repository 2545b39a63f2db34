/* The page of the call: before (prepare, wait), inside, after. The server says who may enter and who is there. */

import * as capture from "./capture.js";
import * as controls from "./controls.js";
import * as door from "./door.js";
import * as media from "./media.js";
import { memoryOf } from "./memory.js";
import * as carried from "./carried.js";
import * as outside from "./outside.js";
import { find, say, show, text } from "./page.js";
import * as panel from "./panel.js";
import { able } from "./sealing.js";
import * as self from "./self.js";
import * as server from "./server.js";
import * as tiles from "./tiles.js";

const STAY = 10000;
const config = JSON.parse(find("#call-config").textContent);
const memory = memoryOf(config.urls.join);
let phase = "prepare";
let entering = false;
let turnedAway = false; // just now: look why, and knock again at the next news
let mesh = null; // everybody else: mesh.js, or relayed.js in a call of many
let entry = null;
let quality = "good";
let asking = null; // the state being asked for
let askAgain = false;
let changing = false; // from one way to the others to another: nobody comes or leaves

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
  if (phase === "inside") {
    memory.remember();
  }
}

/* Before. */

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
    .insist(() => server.post(config.urls.join, { closes: able() }), () => phase !== "over")
    .then((answer) => {
      entering = false;
      if (answer.status === 200) {
        begin(answer.body);
      } else if (answer.status === 401) {
        over("out");
      } else if (answer.status > 0) {
        outside.problem((answer.body && answer.body.error) || text("MediaError"));
        turnedAway = true;
        refresh();
      }
    });
}

/* Inside. */

function begin(answer) {
  entry = answer;
  outside.problem("");
  outside.waitNoMore();
  mesh = carry(answer.state, 0);
  setPhase("inside");
  remember();
  drawQuality("good");
  document.body.dispatchEvent(new CustomEvent("relais:inside"));
  apply(answer.state);
}

/** Open the way to everybody else that the server names. */
function carry(state, last) {
  return carried.open({
    carrier: state.carrier,
    heard: last,
    sealUrl: config.sealUrl,
    check: stay,
    look: refresh,
    config,
    entry,
    joined: (person) => {
      tiles.add(person);
      if (!changing) {
        say(text("came", person.name));
      }
      drawAlone();
    },
    left: (person) => {
      tiles.remove(person);
      if (phase === "inside" && !changing) {
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
}

/** The server says that sound and image go another way now: the relay is away, or there is one. */
function change(state) {
  changing = true;
  const last = mesh.heard();
  mesh.close();
  mesh = carry(state, last);
  mesh.follow(state);
  changing = false;
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
  const up = mesh.up();
  server.post(config.urls.stay, { peer: entry.peer, quality, read: mesh.heard(), up }).then((answer) => {
    if (answer.status === 200 && !answer.body.inside) {
      refresh();
    } else if (answer.status === 200 && !answer.body.seated && mesh) {
      mesh.unseated();
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
    if (mesh.carrier === state.carrier) {
      mesh.follow(state);
    } else {
      change(state);
    }
    carried.say(state);
    door.draw(state.waiting, config.urls);
    capture.follow(state.captures);
  }
}

function wait(state) {
  if (config.host) {
    door.draw(state.waiting, config.urls);
  }
  if (outside.wait(state)) {
    if (!turnedAway) {
      enter();
    }
    turnedAway = false;
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
  outside.waitNoMore();
  if (why !== "out") {
    memory.forget();
  }
  outside.sayOver(why);
  show(find("[data-quality]"), false);
  door.draw([], config.urls);
  carried.say(null);
  say("");
  setPhase("over");
  find("[data-over]").focus();
}

function leave() {
  server.farewell(config.urls.leave, { peer: entry.peer });
  over("left");
  document.dispatchEvent(new CustomEvent("relais:left"));
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
  outside.bind(config, tryEnter);
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
  refresh();
  const obstacle = media.obstacle();
  if (obstacle) {
    outside.problem(text(obstacle));
    show(find("[data-choice]"), obstacle === "Insecure");
    return;
  }
  const before = memory.recall();
  if (before) {
    const both = before.audio && before.video;
    outside.choose(both ? "both" : before.audio ? "audio" : "none").then(() => media.mute(before.muted && before.audio));
  }
}

start();
