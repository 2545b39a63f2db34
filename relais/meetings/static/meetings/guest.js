/* The link of a meeting carries its secret after the #, which no server and no log sees: it goes into the form, and
   leaves the address so that neither history nor a shared screen keeps it. */

const field = document.querySelector("[data-link-secret] [name=secret]");
if (field && window.location.hash.length > 1) {
  field.value = window.location.hash.slice(1);
  window.history.replaceState(null, "", window.location.pathname);
}
