/* A link may carry the login (and a guest's password) after its #, which no server and no log sees: #i=…&m=… fills the
   form [data-door], and leaves the address so that neither history nor a shared screen keeps it. */

import { onContent } from "../core/ui/ready.js";

const FIELDS = { i: "login", m: "password" };

onContent((root) => {
  const form = root.querySelector("[data-door]");
  if (!form || window.location.hash.length < 2) {
    return;
  }
  const carried = new URLSearchParams(window.location.hash.slice(1));
  let next = null;
  Object.keys(FIELDS).forEach((key) => {
    const input = form.elements[FIELDS[key]];
    if (carried.get(key) && !input.value) {
      input.value = carried.get(key);
    }
    if (!next && !input.value) {
      next = input;
    }
  });
  window.history.replaceState(null, "", window.location.pathname);
  if (next) {
    next.focus();
  }
});
