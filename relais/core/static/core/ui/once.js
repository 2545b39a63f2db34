/* A double click has one effect: a form that writes is sent once, until the page comes back or 10 s pass. */

const busy = new WeakMap();

function release(form) {
  clearTimeout(busy.get(form));
  busy.delete(form);
  Array.from(form.querySelectorAll(".is-busy")).forEach((button) => {
    button.classList.remove("is-busy");
    button.removeAttribute("aria-disabled");
  });
}

function hold(form) {
  busy.set(form, setTimeout(() => release(form), 10000));
  Array.from(form.querySelectorAll("button:not([type=button]), input[type=submit]")).forEach((button) => {
    button.classList.add("is-busy");
    button.setAttribute("aria-disabled", "true");
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") {
    return;
  }
  if (busy.has(form)) {
    event.preventDefault();
    return;
  }
  hold(form);
});

// A page that comes back from the browser's memory can be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    Array.from(document.forms).forEach(release);
  }
});

// htmx would queue a second request and send it after the first: refuse it at the door instead.
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.verb !== "get" && busy.has(event.detail.elt)) {
    event.preventDefault();
  }
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb !== "get") {
    hold(event.detail.elt);
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (busy.has(event.detail.elt)) {
    release(event.detail.elt);
  }
});
