/* A quick room: one tap on the page before has said to come in; quitting leads back to that page. */

const config = JSON.parse(document.getElementById("call-config").textContent);

document.addEventListener("relais:left", () => window.location.assign(config.backUrl));

if (document.querySelector("[data-enter-now]")) {
  // Once: a page that is loaded again comes in as it was (memory.js).
  window.history.replaceState(null, "", window.location.pathname);
  const button = document.querySelector('[data-choose="both"]');
  if (button && !button.disabled) {
    button.click();
  }
}
