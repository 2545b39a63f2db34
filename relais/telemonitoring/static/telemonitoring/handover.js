/** The hand-over list: the button opens the browser's own window to print. */

document.querySelectorAll("[data-print]").forEach((button) => {
  button.addEventListener("click", () => window.print());
});
