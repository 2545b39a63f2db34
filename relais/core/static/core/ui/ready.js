/** Call `bind(root)` for the page, then for each fragment that htmx swaps in. Binding twice must be harmless. */
export function onContent(bind) {
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", () => bind(document));
  } else {
    bind(document);
  }
  document.addEventListener("htmx:load", (event) => bind(event.target));
}

/** Elements of `root` that match, `root` itself included. */
export function all(root, selector) {
  const found = Array.from(root.querySelectorAll(selector));
  if (root.matches && root.matches(selector)) {
    found.unshift(root);
  }
  return found;
}

/** The storage of this tab ("session") or device ("local"), or null where the browser refuses it. */
export function storage(kind) {
  try {
    return kind === "session" ? window.sessionStorage : window.localStorage;
  } catch (error) {
    return null;
  }
}
