// One more drug on the prescription: a copy of the empty line, numbered.

document.querySelectorAll("[data-lines]").forEach((form) => {
  const button = form.querySelector("[data-add-line]");
  const total = form.querySelector("[name$=-TOTAL_FORMS]");
  const most = Number(form.querySelector("[name$=-MAX_NUM_FORMS]").value);
  button.hidden = false;
  button.addEventListener("click", () => {
    const number = Number(total.value);
    const holder = document.createElement("div");
    holder.innerHTML = form.querySelector("[data-empty-line]").innerHTML.replace(/__prefix__/g, String(number));
    const line = holder.firstElementChild;
    line.querySelector("[data-line-number]").textContent = String(number + 1);
    button.parentElement.before(line);
    total.value = String(number + 1);
    button.hidden = number + 1 >= most;
    line.querySelector("input").focus();
  });
});
