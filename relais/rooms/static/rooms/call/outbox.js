/* What this page tells other pages through the server: what is said at once goes together, and waits while the server is away. */

import * as server from "./server.js";

export function openOutbox(url, peer) {
  const waiting = [];
  let sending = false;
  let closed = false;

  function post() {
    if (sending || !waiting.length || closed) {
      return;
    }
    sending = true;
    const messages = waiting.splice(0, 100); // as many as the server takes
    server
      .insist(() => server.post(url, { peer, messages }), () => !closed)
      .then(() => {
        sending = false;
        post();
      });
  }

  return {
    send(to, payload) {
      waiting.push({ to, payload });
      Promise.resolve().then(post);
    },
    close() {
      closed = true;
    },
  };
}
