/* What the page asks the server. Nothing here throws: an answer always has a status, 0 when the server is out of reach. */

const PATIENCE = 12000;

function token() {
  return document.querySelector('meta[name="csrf-token"]').content;
}

function send(url, options, patience) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience || PATIENCE);
  const headers = Object.assign({ Accept: "application/json", "X-Background": "1" }, options.headers);
  return fetch(url, Object.assign({ credentials: "same-origin", signal: stop.signal }, options, { headers }))
    .then((response) => {
      const json = (response.headers.get("Content-Type") || "").indexOf("json") >= 0;
      const out = response.status === 401 || response.redirected;
      return (json ? response.json() : Promise.resolve(null)).then((body) => ({ status: out ? 401 : response.status, body }));
    })
    .catch(() => ({ status: 0, body: null }))
    .then((answer) => {
      clearTimeout(timer);
      return answer;
    });
}

export function get(url) {
  return send(url, {});
}

export function post(url, data) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token() };
  return send(url, { method: "POST", headers, body: JSON.stringify(data) });
}

/** `patience` in ms, for what is large. */
export function postForm(url, fields, patience) {
  return send(url, { method: "POST", headers: { "X-CSRFToken": token() }, body: form(fields) }, patience);
}

/** Sent even while the page closes; nobody waits for an answer. */
export function farewell(url, fields) {
  const body = form(fields);
  body.append("csrfmiddlewaretoken", token());
  if (!(navigator.sendBeacon && navigator.sendBeacon(url, body))) {
    send(url, { method: "POST", headers: { "X-CSRFToken": token() }, body });
  }
}

function form(fields) {
  const body = new FormData();
  Object.keys(fields).forEach((name) => body.append(name, fields[name]));
  return body;
}

/** Ask until the server answers, for what must not be lost: again after 1, 2, 4, then every 5 seconds. */
export function insist(ask, wanted) {
  return new Promise((resolve) => {
    let wait = 1000;
    function attempt() {
      if (!wanted()) {
        resolve({ status: -1, body: null });
        return;
      }
      ask().then((answer) => {
        if (answer.status !== 0 && answer.status < 500) {
          resolve(answer);
          return;
        }
        setTimeout(attempt, wait);
        wait = Math.min(5000, wait * 2);
      });
    }
    attempt();
  });
}
