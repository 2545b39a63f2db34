/* One connection to /live/…: opens again by itself, and notices a line that died without a word. */

const SILENCE = 40000; // the server gives a sign of life every 15 s
const WAITS = [500, 1000, 2000, 5000, 10000];

/**
 * Watch `tokens` (signed topics) from `since` (server time, seconds) on.
 * `tell` has up(), down(), ping(topic, urgent), again(), late(), out() and old(tokens): `again` means that pings may have
 * been missed, `late` that the scheduler is, `old` that these tokens are followed no more.
 */
export function openSource(url, tokens, since, tell) {
  let source = null;
  let alarm = null;
  let retry = null;
  let failures = 0;
  let closed = false;
  let missed = false;
  let deaf = false; // the server itself hears no pings
  let last = since;

  function alive(event) {
    if (event.lastEventId) {
      last = Number(event.lastEventId);
    }
    clearTimeout(alarm);
    alarm = setTimeout(broken, SILENCE);
  }

  function up(event) {
    alive(event);
    failures = 0;
    if (deaf) {
      return;
    }
    tell.up();
    if (missed) {
      missed = false;
      tell.again();
    }
  }

  function broken() {
    if (closed) {
      return;
    }
    stop();
    missed = true;
    tell.down();
    retry = setTimeout(start, WAITS[Math.min(failures, WAITS.length - 1)] * (0.75 + Math.random() / 2));
    failures += 1;
  }

  function stop() {
    clearTimeout(alarm);
    clearTimeout(retry);
    if (source) {
      source.close();
      source = null;
    }
  }

  function start() {
    stop();
    deaf = false;
    const query = tokens.map((token) => `t=${encodeURIComponent(token)}`).join("&");
    source = new EventSource(`${url}?since=${last}&${query}`);
    source.onerror = broken;
    source.addEventListener("beat", up);
    source.addEventListener("ping", (event) => {
      alive(event);
      const data = JSON.parse(event.data);
      tell.ping(data.topic, data.urgent);
    });
    source.addEventListener("again", (event) => {
      alive(event);
      deaf = false;
      tell.up();
      tell.again();
    });
    source.addEventListener("lost", (event) => {
      alive(event);
      deaf = true;
      tell.down();
    });
    source.addEventListener("late", (event) => {
      alive(event);
      tell.late();
    });
    source.addEventListener("old", (event) => {
      const gone = JSON.parse(event.data).tokens;
      tokens = tokens.filter((token) => gone.indexOf(token) < 0);
      if (!tokens.length) {
        close();
      }
      tell.old(gone);
    });
    source.addEventListener("end", broken);
    source.addEventListener("out", () => {
      close();
      tell.out();
    });
  }

  function close() {
    closed = true;
    stop();
  }

  start();
  return { close, last: () => last };
}
