/* Answers closed on this device for the server alone to open (sealing.py): a key pair made for each answer set, ECDH on
   P-256 with the server's public key, HKDF-SHA256, AES-256-GCM. */

const CURVE = { name: "ECDH", namedCurve: "P-256" };

export function textOf(bytes) {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function bytesOf(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

/* A random UUID, where crypto.randomUUID is too new. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/* `purpose` says for which workflow, `server` is {id, point}, `whose` the id of whoever answers, `request` that of this
   sending. The envelope as JSON, without `whose`. */
export async function seal(purpose, server, whose, request, content) {
  const subtle = crypto.subtle;
  const pair = await subtle.generateKey(CURVE, true, ["deriveBits"]);
  const other = await subtle.importKey("raw", bytesOf(server.point), CURVE, true, []);
  const shared = await subtle.deriveBits({ name: "ECDH", public: other }, pair.privateKey, 256);
  const point = await subtle.exportKey("raw", pair.publicKey);
  const words = new TextEncoder();
  const base = await subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const key = await subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: point, info: words.encode(purpose) },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"]
  );
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = words.encode([purpose, server.id, whose, request].join("|"));
  const box = await subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, words.encode(JSON.stringify(content)));
  return { key: server.id, request, point: textOf(point), iv: textOf(iv), box: textOf(box) };
}
