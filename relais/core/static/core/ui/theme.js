/* Before the first paint (a classic script in <head>): that scripts run, theme and width of the rail as chosen here. */
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

  root.classList.add("with-scripts");
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
