/* Before the first paint (a classic script in <head>): theme and width of the rail, as chosen on this device. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function read(key) {
    try {
      return window.localStorage.getItem(key);
    } catch (error) {
      return null;
    }
  }

  function apply() {
    var choice = read("relais.theme");
    var theme = choice === "dark" || choice === "light" ? choice : dark.matches ? "dark" : "light";
    root.setAttribute("data-bs-theme", theme);
    root.classList.toggle("rail-narrow", read("relais.rail") === "narrow");
  }

  apply();
  if (dark.addEventListener) {
    dark.addEventListener("change", apply);
  } else {
    dark.addListener(apply);
  }
  window.addEventListener("storage", apply);
  window.addEventListener("relais:appearance", apply);
})();
