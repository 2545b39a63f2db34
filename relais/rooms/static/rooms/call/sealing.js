/* Frames are encrypted before they leave for the video relay, which cannot read them, and opened on arrival. The key of
   the room comes from the server, another one whenever somebody leaves. Works in a worker, off the page's own thread. */

/** Whether this browser can change frames on their way. */
export function able() {
  const sender = window.RTCRtpSender && window.RTCRtpSender.prototype;
  const streams = Boolean(sender && sender.createEncodedStreams);
  return Boolean(window.Worker && window.crypto && window.crypto.subtle && (window.RTCRtpScriptTransform || streams));
}

/** What an RTCPeerConnection whose frames are sealed needs beside its settings. */
export function settings() {
  return able() && !window.RTCRtpScriptTransform ? { encodedInsertableStreams: true } : {};
}

/** `url` is the worker's. Does nothing in a browser that cannot. */
export function openSealing(url) {
  const worker = able() ? new window.Worker(url) : null;
  const done = new WeakSet();
  let last = "";

  function pass(end, way) {
    if (!worker || done.has(end)) {
      return;
    }
    done.add(end);
    if (window.RTCRtpScriptTransform) {
      end.transform = new window.RTCRtpScriptTransform(worker, { way });
      return;
    }
    const { readable, writable } = end.createEncodedStreams();
    worker.postMessage({ way, readable, writable }, [readable, writable]);
  }

  return {
    seal: (sender) => pass(sender, "out"),
    open: (receiver) => pass(receiver, "in"),
    /** `key`: {number, value}; `closed`: every page inside can, so that nothing goes in the clear. */
    follow(key, closed) {
      const now = `${key.number} ${closed}`;
      if (worker && now !== last) {
        last = now;
        worker.postMessage({ number: key.number, value: key.value, closed });
      }
    },
    close() {
      if (worker) {
        worker.terminate();
      }
    },
  };
}
