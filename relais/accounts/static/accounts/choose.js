/* The list of establishments narrows while one types; accents and case aside. */

const form = document.querySelector("[data-choose-search]");
const buttons = Array.from(document.querySelectorAll("[data-choose-list] button"));
const count = document.querySelector("[data-choose-count]");

function plain(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
}

function narrow() {
  const words = plain(form.elements.q.value).split(/\s+/);
  buttons.forEach((button) => {
    const name = plain(button.textContent);
    button.hidden = !words.every((word) => name.indexOf(word) >= 0);
  });
  const left = buttons.filter((button) => !button.hidden);
  count.textContent = left.length === 1 ? "1 établissement" : `${left.length} établissements`;
}

form.querySelector("[data-choose-submit]").hidden = true;
form.elements.q.addEventListener("input", narrow);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const first = buttons.filter((button) => !button.hidden)[0];
  if (first) {
    first.focus();
  }
});
