// One section of the report: saved a second after the last key. What another saved replaces what nobody touched here,
// and is shown beside what somebody did.

const SAVE_AFTER = 1000;
const TRY_AGAIN = 5000;

function clock() {
  return new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
}

/**
 * `say(words)` is the form's status line, `added` what report_added.js answers.
 * Answers {key, field, label, text(), own(), hear(theirs), stop(), startAgain()}: theirs is {text, version, by} as saved;
 * own() says whether the text is one's own, saved nowhere; from stop() to startAgain() nothing is saved or taken in.
 */
export function makeSection(form, field, say, added) {
  const area = field.querySelector("textarea");
  const stamp = field.querySelector("input[type=hidden]");
  const box = field.querySelector("[data-clash]");
  const mark = field.querySelector("[data-theirs]");
  const label = field.querySelector("label").textContent;
  let base = field.hasAttribute("data-unsaved") ? null : area.defaultValue; // the text of version `stamp`
  let sending = false;
  let heard = null; // what came while sending
  let timer = 0;
  let stopped = false;

  function adopt(theirs) {
    base = theirs.text;
    stamp.value = theirs.version;
  }

  function put(text) {
    const before = area.value;
    const start = area.selectionStart;
    const scroll = area.scrollTop;
    area.value = text;
    if (document.activeElement === area) {
      const same = before.slice(0, start) === text.slice(0, start);
      const caret = same ? start : Math.max(0, text.length - (before.length - start));
      area.setSelectionRange(caret, caret);
      area.scrollTop = scroll;
    }
  }

  function clash(theirs) {
    clearTimeout(timer);
    mark.hidden = true;
    box.hidden = false;
    box.querySelector("[data-clash-by]").textContent = theirs.by || "Une autre personne";
    box.querySelector("[data-clash-text]").textContent = theirs.text;
    function settle(value) {
      adopt(theirs);
      area.value = value;
      box.hidden = true;
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    }
    box.querySelector("[data-clash-both]").onclick = () => settle([theirs.text, area.value].filter(Boolean).join("\n\n"));
    box.querySelector("[data-clash-theirs]").onclick = () => settle(theirs.text);
    say(`Deux personnes écrivent dans « ${label} ».`);
  }

  function takeIn(theirs) {
    clearTimeout(timer);
    box.hidden = true;
    put(theirs.text);
    adopt(theirs);
    mark.textContent = `Enregistré par ${theirs.by || "une autre personne"} à ${clock()}`;
    mark.hidden = false;
    say(`${theirs.by || "Une autre personne"} a modifié « ${label} ».`);
  }

  function hear(theirs) {
    if (stopped) return;
    if (sending) {
      heard = theirs;
    } else if (theirs.version > Number(stamp.value)) {
      if (area.value === theirs.text) {
        adopt(theirs);
        box.hidden = true;
      } else if (area.value === base) {
        takeIn(theirs);
      } else {
        clash(theirs);
      }
    }
  }

  function send(text) {
    const body = new URLSearchParams({ key: field.dataset.section, text, version: stamp.value, filed: added.known() });
    const csrf = form.querySelector("[name=csrfmiddlewaretoken]").value;
    return fetch(form.dataset.saveUrl, {
      method: "POST",
      headers: { "X-CSRFToken": csrf, Accept: "application/json" },
      body,
    });
  }

  async function save() {
    if (sending || stopped || !box.hidden) return;
    const text = area.value;
    let answer = null;
    sending = true;
    try {
      answer = await send(text);
    } catch (error) {
      say("Pas de réseau : le texte reste dans cette page.");
      timer = setTimeout(save, TRY_AGAIN);
    }
    const said = answer ? await answer.json().catch(() => ({})) : {};
    sending = false;
    if (answer && answer.status === 409 && said.version !== undefined) {
      clash(said);
    } else if (said.filed || said.over) {
      added.stop(said);
    } else if (answer && answer.ok) {
      adopt({ text, version: said.version });
      say(`Brouillon enregistré à ${clock()}`);
      if (area.value !== text) save();
    } else if (answer) {
      say(said.error || "Le brouillon n’est pas enregistré. Rechargez la page.");
    }
    if (heard && !sending) {
      const theirs = heard;
      heard = null;
      hear(theirs);
    }
  }

  function saveSoon() {
    clearTimeout(timer);
    mark.hidden = true;
    if (!box.hidden || stopped) return;
    say("…");
    timer = setTimeout(save, SAVE_AFTER);
  }

  area.addEventListener("input", saveSoon);
  if (area.value !== area.defaultValue) saveSoon(); // typed before this ran, or brought back by the browser

  function own() {
    return Boolean(area.value.trim()) && area.value !== base;
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    box.hidden = true;
  }

  function startAgain() {
    stopped = false;
    stamp.value = 0;
    base = area.value ? null : "";
    if (area.value) save();
  }

  return { key: field.dataset.section, field, label, text: () => area.value, own, hear, stop, startAgain };
}
