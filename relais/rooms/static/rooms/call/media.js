/* One's own camera and microphone. They are asked for when the person says so, never before, and only those wanted. */

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const tracks = { audio: null, video: null };
let facing = "user";
let changed = () => {};

/** `listener()` is called whenever a track appears, ends or is replaced. */
export function onChange(listener) {
  changed = listener;
}

export function track(kind) {
  return tracks[kind];
}

/** Whether this browser can be asked at all. Answers the name of a text, or "". */
export function obstacle() {
  if (!window.RTCPeerConnection) {
    return "TooOld";
  }
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
    return window.isSecureContext === false ? "Insecure" : "TooOld";
  }
  return "";
}

/** The name of the text that explains this error of getUserMedia. */
export function explain(error) {
  const name = error && error.name;
  if (name === "NotAllowedError" || name === "SecurityError" || name === "PermissionDeniedError") {
    return "NotAllowedError";
  }
  if (name === "NotFoundError" || name === "DevicesNotFoundError" || name === "OverconstrainedError") {
    return "NotFoundError";
  }
  return name === "NotReadableError" || name === "TrackStartError" || name === "AbortError" ? "NotReadableError" : "MediaError";
}

function keep(stream) {
  stream.getTracks().forEach((fresh) => {
    stop(fresh.kind);
    tracks[fresh.kind] = fresh;
    fresh.addEventListener("ended", () => {
      if (tracks[fresh.kind] === fresh) {
        tracks[fresh.kind] = null;
        changed();
      }
    });
  });
  changed();
}

/** Turn on what is wanted. Rejects with the browser's error; nothing is then on that was not before. */
export function open(audio, video) {
  if (!audio && !video) {
    return Promise.resolve();
  }
  const wanted = { audio: audio ? SOUND : false, video: video ? Object.assign({ facingMode: facing }, VIDEO) : false };
  return navigator.mediaDevices.getUserMedia(wanted).then(keep);
}

/** Both if possible, else the one that there is; refusals are not worked around. Answers what is missing, or "". */
export function openWhatThereIs() {
  return open(true, true).then(
    () => "",
    (error) => {
      if (explain(error) === "NotAllowedError") {
        throw error;
      }
      return open(true, false).then(
        () => "no-camera",
        () => open(false, true).then(() => "no-microphone"),
      );
    },
  );
}

/** Turn one off for good: its light goes out. */
export function stop(kind) {
  if (tracks[kind]) {
    tracks[kind].stop();
    tracks[kind] = null;
    changed();
  }
}

export function stopAll() {
  stop("audio");
  stop("video");
}

/** Microphone heard or not, without letting go of it. */
export function mute(muted) {
  if (tracks.audio) {
    tracks.audio.enabled = !muted;
    changed();
  }
}

export function muted() {
  return !tracks.audio || !tracks.audio.enabled;
}

/** Cameras of the device; their names are known once one was allowed. */
export function cameras() {
  return navigator.mediaDevices.enumerateDevices().then((all) => all.filter((one) => one.kind === "videoinput"));
}

/** The next camera of the device. On a telephone that means front and back. */
export function nextCamera() {
  return cameras().then((all) => {
    const current = tracks.video ? tracks.video.getSettings().deviceId : "";
    const at = all.findIndex((one) => one.deviceId === current);
    const next = all[(at + 1) % all.length];
    const before = tracks.video;
    facing = facing === "user" ? "environment" : "user";
    const wanted = next && next.deviceId ? { deviceId: { exact: next.deviceId } } : { facingMode: facing };
    if (before) {
      before.stop(); // telephones refuse a second camera while the first is on
      tracks.video = null;
    }
    return navigator.mediaDevices.getUserMedia({ video: Object.assign(wanted, VIDEO) }).then(keep, (error) =>
      open(false, true).then(() => {
        throw error;
      }),
    );
  });
}
