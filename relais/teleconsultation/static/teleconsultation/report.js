// The report: each section is saved a second after the last key; a clash with another editor shows both texts.

const SAVE_AFTER = 1000;

function csrf(form) {
  return form.querySelector("[name=csrfmiddlewaretoken]").value;
}

function say(form, words) {
  form.querySelector("[data-report-status]").textContent = words;
}

function clock() {
  return new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
}

function showClash(field, text, version, theirs) {
  const box = field.querySelector("[data-clash]");
  const area = field.querySelector("textarea");
  const stamp = field.querySelector("input[type=hidden]");
  box.hidden = false;
  box.querySelector("[data-clash-by]").textContent = theirs.by || "Une autre personne";
  box.querySelector("[data-clash-text]").textContent = theirs.text;
  function settle(value) {
    area.value = value;
    stamp.value = theirs.version;
    box.hidden = true;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }
  box.querySelector("[data-clash-both]").onclick = () => settle(theirs.text + "\n\n" + area.value);
  box.querySelector("[data-clash-theirs]").onclick = () => settle(theirs.text);
}

async function save(form, field) {
  const area = field.querySelector("textarea");
  const stamp = field.querySelector("input[type=hidden]");
  const body = new URLSearchParams({ key: field.dataset.section, text: area.value, version: stamp.value });
  const sent = area.value;
  let answer;
  try {
    answer = await fetch(form.dataset.saveUrl, {
      method: "POST",
      headers: { "X-CSRFToken": csrf(form), Accept: "application/json" },
      body,
    });
  } catch (error) {
    say(form, "Pas de réseau : le texte reste dans cette page.");
    setTimeout(() => save(form, field), 5000);
    return;
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 409 && said.version !== undefined) {
    showClash(field, sent, stamp.value, said);
    say(form, "Deux personnes écrivent dans cette rubrique.");
  } else if (answer.ok) {
    stamp.value = said.version;
    say(form, "Brouillon enregistré à " + clock());
    if (area.value !== sent) save(form, field);
  } else {
    say(form, said.error || "Le brouillon n’est pas enregistré. Rechargez la page.");
  }
}

function watch(form, field) {
  let timer = 0;
  field.querySelector("textarea").addEventListener("input", () => {
    clearTimeout(timer);
    say(form, "…");
    timer = setTimeout(() => save(form, field), SAVE_AFTER);
  });
}

function models(form) {
  const texts = JSON.parse(document.getElementById("report-models").textContent);
  form.querySelector("[data-report-insert]").addEventListener("click", () => {
    const model = texts[form.querySelector("[data-report-model]").value];
    if (!model) return;
    form.querySelectorAll("[data-section]").forEach((field) => {
      const area = field.querySelector("textarea");
      const text = model.sections[field.dataset.section];
      if (text && !area.value.trim()) {
        area.value = text;
        area.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
  });
}

document.querySelectorAll("[data-report]").forEach((form) => {
  form.querySelectorAll("[data-section]").forEach((field) => watch(form, field));
  models(form);
});
