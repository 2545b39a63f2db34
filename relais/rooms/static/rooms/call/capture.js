/* Photographs and clips: asked first, taken once the person seen has agreed, kept when the host says so. */

import { find, say, show, text } from "./page.js";
import { uncover } from "./panel.js";
import * as server from "./server.js";
import * as tiles from "./tiles.js";

const LONGEST = 60; // seconds of a clip
const KINDS = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];

let config = null;
let mesh = () => null;
let asked = null; // {id, kind, tile} whose answer is awaited
let recorder = null;
let taken = null; // {blob, kind, consent, url}

function clipKind() {
  // eslint-disable-next-line compat/compat -- without it (Safari before 14.1) there are no clips
  return window.MediaRecorder ? KINDS.filter((kind) => MediaRecorder.isTypeSupported(kind))[0] || "" : "";
}

function button(name) {
  return find(`[data-control="${name}"]`);
}

function ask(kind) {
  const tile = tiles.visible();
  if (!tile) {
    say(text("capture-nobody"));
    return;
  }
  say(text("capture-wait"), true);
  server.post(config.urls.ask, { subject: tile.person.invitation, kind }).then((answer) => {
    if (answer.status === 200) {
      asked = { id: answer.body.id, kind, tile };
    } else {
      say((answer.body && answer.body.error) || text("taken-failed"));
    }
  });
}

function photograph(tile, consent) {
  const canvas = document.createElement("canvas");
  canvas.width = tile.video.videoWidth;
  canvas.height = tile.video.videoHeight;
  canvas.getContext("2d").drawImage(tile.video, 0, 0);
  canvas.toBlob((blob) => offerToKeep(blob, "photo", consent), "image/jpeg", 0.92);
}

function record(tile, consent) {
  const parts = [];
  const stream = mesh().streamOf(tile.person.peer);
  if (!stream) {
    say(text("capture-nobody"));
    return;
  }
  // eslint-disable-next-line compat/compat -- the button is gone where it is missing
  recorder = new MediaRecorder(stream, { mimeType: clipKind() });
  const limit = setTimeout(stopRecording, LONGEST * 1000);
  const begun = Date.now();
  const ticking = setInterval(() => {
    const seconds = Math.round((Date.now() - begun) / 1000);
    find("[data-recording-text]").textContent = `${text("recording-mine")} (${seconds} s / ${LONGEST} s)`;
  }, 1000);
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    clearTimeout(limit);
    clearInterval(ticking);
    mesh().tell({ recording: false });
    show(find("[data-recording]"), false);
    button("clip").setAttribute("aria-pressed", "false");
    recorder = null;
    offerToKeep(new Blob(parts, { type: clipKind().split(";")[0] }), "clip", consent);
  };
  recorder.start(1000);
  mesh().tellOne(tile.person.peer, { recording: true });
  button("clip").setAttribute("aria-pressed", "true");
  find("[data-recording-text]").textContent = text("recording-mine");
  show(find("[data-recording]"), true);
}

function stopRecording() {
  if (recorder && recorder.state !== "inactive") {
    recorder.stop();
  }
}

function offerToKeep(blob, kind, consent) {
  if (!blob || !blob.size || !mesh()) {
    return;
  }
  taken = { blob, kind, consent, url: URL.createObjectURL(blob) };
  find("[data-taken-title]").textContent = text(`taken-${kind}`);
  find("[data-taken-text]").textContent = "";
  const photo = find("[data-taken-photo]");
  const clip = find("[data-taken-clip]");
  show(photo, kind === "photo");
  show(clip, kind === "clip");
  (kind === "photo" ? photo : clip).src = taken.url;
  uncover();
  show(find("[data-taken]"), true);
  find("[data-taken-keep]").focus();
}

function forget() {
  URL.revokeObjectURL(taken.url);
  taken = null;
  find("[data-taken-photo]").removeAttribute("src");
  find("[data-taken-clip]").removeAttribute("src");
  show(find("[data-taken]"), false);
}

function keep() {
  const extension = taken.kind === "photo" ? "jpg" : taken.blob.type.split("/")[1];
  const file = new File([taken.blob], `${taken.kind}.${extension}`, { type: taken.blob.type });
  find("[data-taken-text]").textContent = text("taken-sending");
  find("[data-taken-keep]").disabled = true;
  server.postForm(config.captureUrl, { file, kind: taken.kind, consent: taken.consent }, 120000).then((answer) => {
    find("[data-taken-keep]").disabled = false;
    if (answer.status >= 200 && answer.status < 300) {
      forget();
      say(text("taken-kept"));
    } else {
      find("[data-taken-text]").textContent = (answer.body && answer.body.error) || text("taken-failed");
    }
  });
}

function question(capture) {
  const box = find("[data-consent]");
  if (!box.hidden && box.dataset.id === capture.id) {
    return;
  }
  uncover();
  box.dataset.id = capture.id;
  find("[data-consent-title]").textContent = text(`consent-${capture.kind}-title`, capture.by);
  find("[data-consent-text]").textContent = text(`consent-${capture.kind}`);
  show(box, true);
  find("[data-consent-no]").focus();
}

function respond(agreed) {
  const box = find("[data-consent]");
  show(box, false);
  server.insist(() => server.post(config.urls.answer, { id: box.dataset.id, agreed }), () => Boolean(mesh()));
}

/** Follow what the server says of questions put to me and answers to mine. */
export function follow(captures) {
  const open = captures.filter((one) => one.agreed === null);
  if (open.length) {
    question(open[0]);
  } else {
    show(find("[data-consent]"), false);
  }
  const answer = asked ? captures.filter((one) => one.id === asked.id && one.agreed !== null)[0] : null;
  if (answer) {
    const { tile, kind, id } = asked;
    asked = null;
    say(answer.agreed ? "" : text("capture-refused"));
    if (answer.agreed) {
      (kind === "photo" ? photograph : record)(tile, id);
    }
  }
}

/** What the other side's page says while it records me, and what mine says when the person wants it stopped. */
export function told(message) {
  if ("recording" in message) {
    find("[data-recording-text]").textContent = text("recording-theirs");
    show(find("[data-recording]"), message.recording);
  } else if (message.stopRecording) {
    stopRecording();
  }
}

/** The call is over: what was not kept is gone. */
export function end() {
  asked = null;
  stopRecording();
  show(find("[data-consent]"), false);
  show(find("[data-recording]"), false);
}

/** `current()` gives the mesh while the call lasts. */
export function bind(settings, current) {
  config = settings;
  mesh = current;
  find("[data-consent-yes]").addEventListener("click", () => respond(true));
  find("[data-consent-no]").addEventListener("click", () => respond(false));
  find("[data-recording-stop]").addEventListener("click", () => {
    if (recorder) {
      stopRecording();
    } else if (mesh()) {
      mesh().tell({ stopRecording: true });
    }
  });
  find("[data-taken-keep]").addEventListener("click", keep);
  find("[data-taken-drop]").addEventListener("click", forget);
  if (button("photo")) {
    button("photo").addEventListener("click", () => ask("photo"));
    button("clip").addEventListener("click", () => (recorder ? stopRecording() : ask("clip")));
    if (!clipKind()) {
      button("clip").remove();
    }
  }
}

/** Whether anything of mine is being kept or asked: the page then warns before it closes. */
export function busy() {
  return Boolean(taken || recorder);
}
