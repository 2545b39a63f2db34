/* Links [data-look] open a document over the page, in a frame: what is below goes on (a call, what was typed).
   Without this script, or with a modifier key, the same address opens as a page of its own. The browser's way back
   closes it. */

const modal = "showModal" in document.createElement("dialog");
let open = null; // { box, link }

function close() {
  if (!open) {
    return;
  }
  const { box, link } = open;
  open = null;
  if (box.close) {
    box.close();
  }
  box.remove();
  document.documentElement.classList.remove("has-look");
  link.focus();
}

function leave() {
  if (window.history.state && window.history.state.look) {
    window.history.back(); // popstate closes
  } else {
    close();
  }
}

function show(link) {
  const box = document.createElement(modal ? "dialog" : "div");
  box.className = "look-over";
  box.setAttribute("aria-label", link.textContent);
  if (!modal) {
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
  }
  const frame = document.createElement("iframe");
  frame.title = link.textContent;
  frame.setAttribute("allow", "fullscreen");
  frame.src = link.href;
  frame.addEventListener("load", () => frame.contentWindow.focus());
  box.appendChild(frame);
  document.body.appendChild(box);
  document.documentElement.classList.add("has-look");
  if (modal) {
    box.addEventListener("cancel", (event) => {
      event.preventDefault();
      leave();
    });
    box.showModal();
  }
  open = { box, link };
  window.history.pushState({ look: true }, "");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest ? event.target.closest("a[data-look]") : null;
  if (!link || open || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
    return;
  }
  event.preventDefault();
  show(link);
});
window.addEventListener("popstate", close);
window.addEventListener("message", (event) => {
  if (event.origin === window.location.origin && event.data === "relais:look-close") {
    leave();
  }
});
