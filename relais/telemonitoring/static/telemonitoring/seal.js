/* Answers of a follow-up, closed for the server alone (core/offline/seal.js). */

import * as sealing from "../core/offline/seal.js";

const PURPOSE = "relais-suivi-1";

/* `server` is {id, point}, `grant` whose answers they are, `request` the id of this sending. The envelope as JSON. */
export async function seal(server, grant, request, content) {
  return Object.assign({ grant }, await sealing.seal(PURPOSE, server, grant, request, content));
}
