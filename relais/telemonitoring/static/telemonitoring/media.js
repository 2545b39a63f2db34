/* iOS 13 has no addEventListener on media queries, and uPlot uses it as soon as it is loaded. */

const queries = window.MediaQueryList && window.MediaQueryList.prototype;

if (queries && !queries.addEventListener) {
  queries.addEventListener = function (_name, listener) {
    this.addListener(listener);
  };
  queries.removeEventListener = function (_name, listener) {
    this.removeListener(listener);
  };
}
