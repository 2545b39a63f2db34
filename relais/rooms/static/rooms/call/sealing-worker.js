/* The worker of sealing.js. A sealed frame: what the relay must see to pass it on (authenticated, not hidden), the rest
   under AES-GCM, the nonce (12 bytes), the number of the key (1 byte), a mark (2 bytes). */

const NONCE = 12;
const TAIL = NONCE + 3;
const MARK = [0xc1, 0x5e];
const SHOWN = { key: 10, delta: 3 }; // the VP8 header, by which a picture is known to stand alone
const LATER = 1000; // ms until a new key is used: the others have it by then
const KEPT = 4;

const keys = new Map(); // number, as a byte -> CryptoKey
let sending = null; // number of the key in use
let closed = true;

function follow(message) {
  closed = message.closed;
  const number = message.number & 255;
  const raw = Uint8Array.from(atob(message.value), (letter) => letter.charCodeAt(0));
  crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]).then((key) => {
    keys.delete(number);
    keys.set(number, key);
    if (keys.size > KEPT) {
      keys.delete(keys.keys().next().value);
    }
    if (sending === null) {
      sending = number;
    } else {
      setTimeout(() => {
        sending = number;
      }, LATER);
    }
  });
}

function shown(frame, size) {
  return Math.min(size, SHOWN[frame.type] || 1);
}

function seal(frame, controller) {
  if (!closed) {
    controller.enqueue(frame);
    return null;
  }
  if (!keys.has(sending)) {
    return null; // rather nothing than something readable
  }
  const number = sending;
  const data = new Uint8Array(frame.data);
  const head = data.subarray(0, shown(frame, data.length));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  return crypto.subtle
    .encrypt({ name: "AES-GCM", iv: nonce, additionalData: head }, keys.get(number), data.subarray(head.length))
    .then((hidden) => {
      const whole = new Uint8Array(head.length + hidden.byteLength + TAIL);
      whole.set(head, 0);
      whole.set(new Uint8Array(hidden), head.length);
      whole.set(nonce, whole.length - TAIL);
      whole.set([number, MARK[0], MARK[1]], whole.length - 3);
      frame.data = whole.buffer;
      controller.enqueue(frame);
    });
}

function open(frame, controller) {
  const data = new Uint8Array(frame.data);
  const size = data.length;
  const sealed = size > TAIL && data[size - 2] === MARK[0] && data[size - 1] === MARK[1];
  if (!sealed) {
    if (!closed) {
      controller.enqueue(frame);
    }
    return null;
  }
  const key = keys.get(data[size - 3]);
  if (!key) {
    return null;
  }
  const head = data.subarray(0, shown(frame, size - TAIL));
  const nonce = data.subarray(size - TAIL, size - 3);
  return crypto.subtle
    .decrypt({ name: "AES-GCM", iv: nonce, additionalData: head }, key, data.subarray(head.length, size - TAIL))
    .then(
      (clear) => {
        const whole = new Uint8Array(head.length + clear.byteLength);
        whole.set(head, 0);
        whole.set(new Uint8Array(clear), head.length);
        frame.data = whole.buffer;
        controller.enqueue(frame);
      },
      () => {}, // another key, or changed on its way: nobody sees it
    );
}

function pipe(way, readable, writable) {
  const change = new self.TransformStream({ transform: way === "out" ? seal : open });
  readable.pipeThrough(change).pipeTo(writable).catch(() => {}); // the connection is closed
}

self.addEventListener("message", (event) => {
  if (event.data.way) {
    pipe(event.data.way, event.data.readable, event.data.writable);
  } else {
    follow(event.data);
  }
});
self.addEventListener("rtctransform", (event) => {
  pipe(event.transformer.options.way, event.transformer.readable, event.transformer.writable);
});
