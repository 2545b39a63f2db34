/* What this device holds of a follow-up (core/offline/store.js): records of kind card, draft and queued, each with the
   `grant` whose it is; after `until` the way in is over. */

import { storeOf } from "../core/offline/store.js";

export { supported } from "../core/offline/store.js";

const held = storeOf("relais-suivi", "/p/suivi/");

export const { put, get, remove, all, lock, unlock, expire, forget } = held;

/* Forget what is held for a way in; what the patient has not read about yet (`refused`) stays when `told` is false. */
export function wipe(grant, told) {
  return held.wipe((record) => record.grant === grant && (told || !record.refused));
}
