/* One question a screen, on a form [data-stepper]: back, next, how far one is; the focus goes to each question. The
   button that sends ([data-stepper-end]) comes with the last one. Going back in the browser goes to the question before. */

/* `check(step)` shows what is wrong with a step and says whether nothing is. */
export function stepper(form, check) {
  const part = (name) => form.querySelector(`[data-stepper-${name}]`);
  const [head, foot, bar, count, end] = ["head", "foot", "bar", "count", "end"].map(part);
  let current = null;

  function steps() {
    return Array.from(form.querySelectorAll("[data-step]")).filter((step) => {
      const rows = step.parentNode.closest("[data-rows]");
      return !rows && !step.closest("[hidden]");
    });
  }

  function draw() {
    const all = steps();
    if (all.indexOf(current) < 0) {
      current = all[0];
    }
    const place = all.indexOf(current);
    Array.from(form.querySelectorAll("[data-step]")).forEach((step) => {
      step.classList.toggle("is-away", step !== current && !current.contains(step));
    });
    Array.from(form.querySelectorAll(".question-group:not([data-step])")).forEach((group) => {
      group.classList.toggle("is-away", !group.contains(current));
    });
    count.textContent = count.dataset.words.replace("%n", place + 1).replace("%total", all.length);
    bar.max = all.length;
    bar.value = place + 1;
    part("back").hidden = place === 0;
    part("next").hidden = place === all.length - 1;
    end.hidden = place < all.length - 1;
    document.body.classList.toggle("is-underway", place > 0);
  }

  function show(step) {
    current = step;
    draw();
    const title = step.querySelector("[data-title]") || step;
    title.focus();
    window.scrollTo(0, 0);
  }

  function move(by) {
    const all = steps();
    const place = all.indexOf(current) + by;
    if (place >= 0 && place < all.length) {
      show(all[place]);
    }
  }

  function next() {
    if (check(current) && steps().indexOf(current) < steps().length - 1) {
      move(1);
      window.history.pushState({ question: current.dataset.item }, "");
    }
  }

  part("next").addEventListener("click", next);
  part("back").addEventListener("click", () => {
    if (window.history.state && window.history.state.question) {
      window.history.back();
    } else {
      move(-1);
    }
  });
  form.addEventListener("keydown", (event) => {
    const plain = event.target.tagName === "INPUT" && !/^(submit|button|file)$/.test(event.target.type);
    if (event.key === "Enter" && plain && !part("next").hidden) {
      event.preventDefault();
      next();
    }
  });
  window.addEventListener("popstate", (event) => {
    const wanted = event.state && event.state.question;
    show(steps().find((step) => step.dataset.item === wanted) || steps()[0]);
  });
  window.history.replaceState(null, "");
  form.classList.add("is-stepped");
  head.hidden = false;
  foot.hidden = false;
  current = steps().find((step) => step.classList.contains("has-error")) || steps()[0];
  draw();
  return { draw, show, current: () => current };
}
