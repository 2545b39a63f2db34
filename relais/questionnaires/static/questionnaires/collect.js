/* Between the inputs of a page and answers (see logic.js). An input is named `q-<key>`; forms/posted.py reads the posted
   page in the same way. */

// A file that is chosen but not sent yet counts as an answer; the server looks at the file itself.
const CHOSEN = "00000000-0000-4000-8000-000000000000";

export function idOf(key) {
  return key.slice(key.lastIndexOf("/") + 1);
}

/* Items by linkId, at any depth. */
export function index(items, found) {
  return (items || []).reduce((all, item) => index(item.items, all.set(item.id, item)), found || new Map());
}

function inputs(question, type) {
  return Array.from(question.querySelectorAll("input, textarea, select")).filter(
    (input) => !type || type.indexOf(input.type) >= 0
  );
}

/* What was given for one question, as typed. */
export function valuesOf(question, item) {
  if (item.type === "boolean" || item.type === "choice" || item.type === "open-choice") {
    const chosen = inputs(question, ["radio", "checkbox"]).filter((input) => input.checked).map((input) => input.value);
    const other = question.querySelector("[data-other]");
    return other && other.value.trim() ? chosen.concat({ text: other.value }) : chosen;
  }
  if (item.type === "attachment") {
    return files(question);
  }
  const typed = inputs(question).map((input) => input.value);
  const lines = item.type === "string" && item.repeats ? [].concat(...typed.map((text) => text.split(/\r?\n/))) : typed;
  return lines.filter((text) => text.trim());
}

function files(question) {
  const kept = inputs(question, ["checkbox"]).filter((input) => input.checked);
  const ahead = inputs(question, ["hidden"]);
  const chosen = inputs(question, ["file"]).reduce((all, input) => all.concat(Array.from(input.files)), []);
  const waiting = (ahead.length || chosen.length) + kept.filter((input) => "ahead" in input.dataset).length;
  const ids = kept.filter((input) => !("ahead" in input.dataset)).map((input) => input.value);
  return ids.concat(Array(waiting).fill(CHOSEN));
}

/* The answers of a page: {linkId: [values]}, rows as lists of the same. */
export function collect(root, items) {
  const answers = {};
  Array.from(root.querySelectorAll("[data-rows]")).forEach((group) => {
    place(answers, group.dataset.rows, rowsOf(group).map(() => ({})));
  });
  Array.from(root.querySelectorAll("[data-question]")).forEach((question) => {
    const values = valuesOf(question, items.get(idOf(question.dataset.question)));
    if (values.length) {
      place(answers, question.dataset.question, values);
    }
  });
  return answers;
}

export function rowsOf(group) {
  return Array.from(group.children).filter((child) => child.hasAttribute("data-row"));
}

function place(answers, key, values) {
  const parts = key.split("/");
  let level = answers;
  for (let at = 0; at + 2 < parts.length; at += 2) {
    const rows = level[parts[at]] || [];
    const number = Number(parts[at + 1]);
    while (rows.length <= number) {
      rows.push({});
    }
    level[parts[at]] = rows;
    level = rows[number];
  }
  level[parts[parts.length - 1]] = values;
}

/* What answers hold at a key, [] when nothing. */
export function at(answers, key) {
  const found = key.split("/").reduce((level, part) => (level === null || level === undefined ? null : level[part]), answers);
  return Array.isArray(found) ? found : [];
}

/* Put answers into one question's inputs. */
export function put(question, item, values) {
  const texts = values.map((value) => (typeof value === "object" ? null : String(value)));
  inputs(question, ["radio", "checkbox"]).forEach((input) => {
    input.checked = texts.indexOf(input.value) >= 0;
  });
  const other = question.querySelector("[data-other]");
  if (other) {
    const free = values.find((value) => value !== null && typeof value === "object");
    other.value = free ? free.text : "";
  } else if (item.type !== "attachment") {
    inputs(question)
      .filter((input) => !/^(radio|checkbox|file|hidden)$/.test(input.type))
      .forEach((input) => {
        const number = item.type === "decimal" || item.type === "integer";
        input.value = number ? texts.join("").replace(".", ",") : texts.join("\n");
      });
  }
}
