/* <form data-dirty>: leaving the page after typing asks first. */

const typed = new Set();

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form && form.hasAttribute("data-dirty")) {
    typed.add(form);
  }
});
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) {
    typed.delete(event.target);
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) {
    typed.delete(event.detail.elt);
  }
});

window.addEventListener("beforeunload", (event) => {
  if (Array.from(typed).some((form) => document.contains(form))) {
    event.preventDefault();
    event.returnValue = "";
  }
});
