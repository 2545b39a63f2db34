/* Outside the call: before, how to come in and what one waits for; after, why it is over. */

import { ring } from "../chime.js";
import { stayAt } from "../presence.js";
import * as media from "./media.js";
import { every, find, say, show, text } from "./page.js";

let host = false;
let comeIn = null;
let ready = false; // the person has said how to come in
let hostHere = false;
let stopWaiting = null;

/** `config` is that of the page; `enter` is called once the person has said how to come in. */
export function bind(config, enter) {
  host = config.host;
  comeIn = enter;
  every("[data-choose]").forEach((button) => {
    button.addEventListener("click", () => choose(button.dataset.choose));
    button.disabled = false; // before, a press would have done nothing
  });
  stopWaiting = stayAt(config.urls.presence, config.about, host ? "space" : "waiting"); // a host does not knock
}

/** What went wrong, in words; "" when nothing does. */
export function problem(words) {
  find("[data-problem]").textContent = words;
  show(find("[data-problem]"), Boolean(words));
}

function words(title, sentence) {
  find("[data-wait-title]").textContent = text(title);
  find("[data-wait-text]").textContent = text(sentence);
}

/** Open what was chosen: both, audio, none, or look (both, without coming in yet). */
export function choose(how) {
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
      if (!host) {
        show(find("[data-choice]"), false);
        words("ready-title", "ready");
      }
      comeIn();
    },
    (error) => problem(text(media.explain(error))),
  );
}

/** Say what one waits for, a patient with a sound when the host has come. Returns whether to come in now. */
export function wait(state) {
  if (state.host_here && !hostHere && !host) {
    ring(true); // a notice would push the buttons from under the finger; pressing one lets the page sound
  }
  hostHere = state.host_here;
  if (ready && state.admitted && state.full) {
    problem("");
    show(find("[data-choice]"), false);
    words("full-title", state.fallen ? "full-fallen" : "full");
    return false;
  }
  if (host) {
    return ready;
  }
  if (hostHere && state.admitted && ready) {
    return true;
  }
  if (hostHere && state.admitted) {
    words("here-title", "here");
  } else if (hostHere) {
    words("door-title", "door");
  } else if (ready) {
    words("ready-title", "ready");
  }
  return false;
}

/** Inside, or gone: this page is no longer present at the door. */
export function waitNoMore() {
  if (stopWaiting) {
    stopWaiting();
    stopWaiting = null;
  }
}

/** Say why it is over, and whether one may come again. */
export function sayOver(why) {
  const key = why === "ended" && host ? "over-ended-host" : `over-${why}`;
  find("[data-over-title]").textContent = text(`over-${why}-title`);
  find("[data-over-text]").textContent = text(key);
  show(find("[data-again]"), why === "left" || why === "replaced" || why === "out");
}
