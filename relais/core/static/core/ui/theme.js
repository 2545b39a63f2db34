/* Before the first paint (a classic script in <head>): theme and width of the rail, as chosen on this device. */
(function () {
  "use strict";
  var root = document.documentElement;
  var small = window.matchMedia("(max-width: 1150px)");
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
    var rail = read("relais.rail");
    root.classList.toggle("rail-narrow", rail ? rail === "narrow" : small.matches);
  }

  apply();
  [dark, small].forEach(function (query) {
    if (query.addEventListener) {
      query.addEventListener("change", apply);
    } else {
      query.addListener(apply);
    }
  });
  window.addEventListener("storage", apply);
  window.addEventListener("relais:appearance", apply);
})();
