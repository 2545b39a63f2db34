/* The others on the stage: picture, name, and in words what is wrong with either. */

import { find, make, show, text } from "./page.js";

const tiles = new Map();

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^[A-Za-zÀ-ÿ]/.test(word) && !/^(dr|pr|mme|m|mlle)\.?$/i.test(word));
  return words.slice(0, 2).map((word) => word[0].toUpperCase()).join("");
}

function build(person) {
  const box = make("figure", "tile");
  const video = make("video", "room-video");
  video.autoplay = true;
  video.playsInline = true;
  video.setAttribute("playsinline", "");
  const cover = make("div", "tile-cover");
  const face = make("span", "tile-face", initials(person.name));
  const reason = make("span", "tile-reason");
  cover.append(face, reason);
  const caption = make("figcaption", "tile-name");
  const name = make("span", "", person.name);
  const microphone = make("span", "tile-mark", text("microphone-off"));
  const line = make("span", "tile-mark");
  caption.append(name);
  if (!person.authenticated) {
    caption.append(make("span", "tile-mark tile-warning", text("unauthenticated")));
  }
  caption.append(microphone, line);
  const sound = make("button", "btn btn-primary tile-sound", text("touch-sound"));
  sound.type = "button";
  sound.addEventListener("click", () => {
    tiles.forEach((tile) => {
      tile.video.play(); // one touch is enough for all
      show(tile.sound, false);
    });
  });
  [microphone, line, sound].forEach((one) => show(one, false));
  box.append(video, cover, caption, sound);
  box.dataset.peer = person.peer;
  return { person, box, video, cover, reason, microphone, line, sound, seen: false, state: "new", said: {} };
}

function draw(tile) {
  const { said } = tile;
  const dark = tile.state === "broken" || said.camera === false || said.paused === true || !tile.seen;
  show(tile.cover, dark);
  tile.reason.textContent =
    tile.state === "broken"
      ? text("returning")
      : said.camera === false
        ? text("camera-off")
        : said.paused
          ? text(said.crowded ? "crowded" : "their-audio")
          : text("entering");
  show(tile.microphone, said.microphone === false);
  show(tile.line, said.word === "weak");
  tile.line.textContent = text("their-weak");
}

function arrange() {
  const stage = find("[data-tiles]");
  stage.dataset.count = String(tiles.size);
  stage.dataset.crowd = tiles.size > 12 ? "many" : tiles.size > 8 ? "twelve" : tiles.size > 3 ? "eight" : "";
  if (stage.dataset.crowd) {
    stage.tabIndex = 0; // it may scroll: by keyboard too
  } else {
    stage.removeAttribute("tabindex");
  }
  show(stage, tiles.size > 0);
}

export function add(person) {
  const tile = build(person);
  tiles.set(person.peer, tile);
  find("[data-tiles]").append(tile.box);
  draw(tile);
  arrange();
}

export function remove(person) {
  const tile = tiles.get(person.peer);
  if (tile) {
    tile.video.srcObject = null;
    tile.box.remove();
    tiles.delete(person.peer);
    arrange();
  }
}

/** Show what comes in. Browsers may want a touch before they let it be heard. */
export function attach(person, stream) {
  const tile = tiles.get(person.peer);
  if (!tile) {
    return;
  }
  if (tile.video.srcObject !== stream) {
    tile.video.srcObject = stream;
  }
  tile.video.onresize = () => {
    tile.seen = true;
    draw(tile);
  };
  const playing = tile.video.play();
  if (playing) {
    playing.catch((error) => show(tile.sound, error.name === "NotAllowedError"));
  }
}

/** The line of this person: up or broken. */
export function line(person, state) {
  const tile = tiles.get(person.peer);
  if (tile) {
    tile.state = state;
    draw(tile);
  }
}

/** What this person's page said of its camera, microphone and line. */
export function told(person, message) {
  const tile = tiles.get(person.peer);
  if (tile) {
    Object.assign(tile.said, message);
    draw(tile);
  }
}

/** The picture to photograph: of the first who is seen and is no host, else of the first who is seen. */
export function visible() {
  const seen = Array.from(tiles.values()).filter((tile) => tile.seen && tile.cover.hidden && tile.video.videoWidth);
  return seen.filter((tile) => tile.person.part !== "host")[0] || seen[0] || null;
}

export function clear() {
  Array.from(tiles.values()).forEach((tile) => remove(tile.person));
}
