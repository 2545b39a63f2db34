// Answering for somebody else is one tap away: the page comes back in the other voice with what was typed. Sent without
// the check of required answers, which a submit event would bring.

import { all, onContent } from "../core/ui/ready.js";

onContent((root) => {
  all(root, "[data-voice-switch]").forEach((button) => {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const form = button.form;
      const asked = document.createElement("input");
      asked.type = "hidden";
      asked.name = button.name;
      asked.value = button.value;
      form.appendChild(asked);
      form.submit();
    });
  });
});
