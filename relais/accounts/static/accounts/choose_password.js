/* The secret of a link is in its fragment: moved into the form, then out of the address and of the history. */

const input = document.querySelector("[data-from-fragment]");
const secret = window.location.hash.slice(1);

if (secret) {
  input.value = secret;
  history.replaceState(null, "", window.location.pathname);
}
if (input.value) {
  input.closest(".field").hidden = true;
}
