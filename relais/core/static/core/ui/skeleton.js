/* While htmx fetches, its target is marked busy; what takes more than 300 ms is dimmed, so that quick answers never
   flicker. What a ping fetched anew is not: nobody asked, and the text stays readable. */

const timers = new WeakMap();

document.addEventListener("htmx:beforeRequest", (event) => {
  const target = event.detail.target;
  target.setAttribute("aria-busy", "true");
  clearTimeout(timers.get(target));
  const asked = event.detail.requestConfig.triggeringEvent;
  if (!asked || asked.type !== "live") {
    timers.set(target, setTimeout(() => target.classList.add("is-loading"), 300));
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const target = event.detail.target;
  clearTimeout(timers.get(target));
  target.classList.remove("is-loading");
  target.removeAttribute("aria-busy");
});
