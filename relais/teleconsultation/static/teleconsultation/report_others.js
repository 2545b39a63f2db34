// Who else has this report open, what they saved, and whether they made it the report: asked again at each ping.

/** `sections`: those of report_section.js; `added`: report_added.js. */
export function follow(form, sections, added) {
  const others = form.querySelector("[data-report-others]");
  const filed = form.querySelector("[data-report-filed]");
  let asking = false;
  let again = false;

  function show(state) {
    form.querySelector("[data-report-names]").textContent = state.others;
    others.hidden = !state.others;
    if (state.filed.id && state.filed.id !== added.known()) {
      const link = form.querySelector("[data-filed-link]");
      form.querySelector("[data-filed-words]").textContent = state.filed.words;
      link.href = state.filed.url;
      link.hidden = !state.filed.url;
      filed.hidden = false;
      added.stop(state);
    }
    sections.forEach((section) => section.hear(state.sections[section.key]));
  }

  async function look() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const headers = { Accept: "application/json", "X-Background": "1" };
      const answer = await fetch(form.dataset.nowUrl, { headers });
      if (answer.ok && !answer.redirected) show(await answer.json());
    } catch (error) {
      // no network: the line says so, and a ping follows once it is back
    }
    asking = false;
    if (again) {
      again = false;
      look();
    }
  }

  form.querySelector("[data-report-live]").addEventListener("live", look);
}
