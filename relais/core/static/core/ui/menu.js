/* <details data-menu>: closes on Escape, outside clicks and leaving; arrows move among its entries. */

function openMenus() {
  return Array.from(document.querySelectorAll("details[data-menu][open]"));
}

function close(menu, refocus) {
  menu.open = false;
  if (refocus) {
    menu.querySelector("summary").focus();
  }
}

document.addEventListener("click", (event) => {
  openMenus().forEach((menu) => {
    if (!menu.contains(event.target)) {
      close(menu, false);
    }
  });
});

document.addEventListener("focusin", (event) => {
  openMenus().forEach((menu) => {
    if (!menu.contains(event.target)) {
      close(menu, false);
    }
  });
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest ? event.target.closest("details[data-menu]") : null;
  if (!menu || !menu.open) {
    return;
  }
  if (event.key === "Escape") {
    close(menu, true);
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const entries = Array.from(menu.querySelectorAll("summary, .menu-list a, .menu-list button")).filter(
      (entry) => entry.offsetParent !== null
    );
    const next = (entries.indexOf(document.activeElement) + step + entries.length) % entries.length;
    entries[next].focus();
    event.preventDefault();
  }
});
