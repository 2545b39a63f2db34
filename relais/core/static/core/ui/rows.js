/* <tr data-row-link>: the row's main link (.row-link) answers to a click anywhere on the row. */

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || !event.target.closest) {
    return;
  }
  const row = event.target.closest("[data-row-link]");
  if (!row || event.target.closest("a, button, input, select, textarea, label, summary, details, dialog")) {
    return;
  }
  if (String(window.getSelection())) {
    return;
  }
  const link = row.querySelector(".row-link");
  if (link && (event.ctrlKey || event.metaKey)) {
    window.open(link.href, "_blank", "noopener");
  } else if (link) {
    link.click();
  }
});
