/* Which questions are asked, and what is wrong with the answers: the twin of logic/walk.py, line by line. Pure: no
   document here, so that pages, offline pages and tests share it.

   `form` is Form.as_json() with `sentences`. Answers are {linkId: [values]}, a repeating group
   {linkId: [{linkId: [values]}, …]}. A key names one place: the linkId, in a row `<group>/<row>/<linkId>`. */

import { MOST, isBlank, isObject, judge, parse, say } from "./values.js";

const COMPARE = {
  "=": (value, wanted) => value === wanted,
  ">": (value, wanted) => value > wanted,
  "<": (value, wanted) => value < wanted,
  ">=": (value, wanted) => value >= wanted,
  "<=": (value, wanted) => value <= wanted,
};

/* A Set of the keys that are asked, given these answers. */
export function enabled(form, answers) {
  return walk(form, answers, null, false).enabled;
}

/* {answers, errors: {key: sentence}, enabled: Set}; `today` is 2026-11-21, the day in Paris. */
export function check(form, answers, today, draft) {
  return walk(form, answers, today, Boolean(draft));
}

function walk(form, answers, today, draft) {
  const state = { today, draft, sentences: form.sentences, enabled: new Set(), errors: {} };
  const kept = level(state, form.items, answers, new Map(), "");
  return { answers: kept, errors: state.errors, enabled: state.enabled };
}

function own(raw, name) {
  return isObject(raw) && Object.prototype.hasOwnProperty.call(raw, name) ? raw[name] : null;
}

function level(state, items, raw, scope, prefix) {
  const kept = {};
  (items || []).forEach((item) => {
    if (!isAsked(item, scope)) {
      return;
    }
    const key = prefix + item.id;
    state.enabled.add(key);
    const given = own(raw, item.id);
    let found = [];
    if (item.type === "group" && item.repeats) {
      found = rowsOf(state, item, given, scope, key);
    } else if (item.type === "group") {
      Object.assign(kept, level(state, item.items, raw, scope, prefix));
    } else if (item.type !== "display") {
      found = question(state, item, given, scope, key);
    }
    if (found.length) {
      kept[item.id] = found;
    }
  });
  return kept;
}

function question(state, item, given, scope, key) {
  const read = parse(item, given, state.sentences);
  scope.set(item.id, read.values);
  if (state.today === null) {
    return read.values;
  }
  const error = read.error || judge(item, read.values, state.today, state.draft, state.sentences);
  if (error) {
    state.errors[key] = error;
    return [];
  }
  return read.values;
}

function rowsOf(state, item, given, scope, key) {
  const rows = Array.isArray(given) ? given : [];
  const kept = [];
  rows.slice(0, MOST).forEach((row, number) => {
    const before = Object.assign({}, state.errors);
    const found = level(state, item.items, row, new Map(scope), `${key}/${number}/`);
    if (isBlank(row)) {
      state.errors = before;
    } else if (Object.keys(found).length) {
      kept.push(found);
    }
  });
  if (state.today !== null && rows.length > MOST) {
    state.errors[key] = say(state.sentences, "many", { count: String(MOST) });
  } else if (state.today !== null && item.required && !state.draft && isBlank(rows)) {
    state.errors[key] = say(state.sentences, "rows");
  }
  return kept;
}

function isAsked(item, scope) {
  if (!item.conditions) {
    return true;
  }
  const holding = (condition) => holds(condition, scope);
  return item.anyOf ? item.conditions.some(holding) : item.conditions.every(holding);
}

function holds(condition, scope) {
  const given = scope.get(condition.question) || [];
  if (condition.operator === "exists") {
    return given.length > 0 === condition.value;
  }
  if (!given.length) {
    return false;
  }
  if (condition.operator === "!=") {
    return given.every((value) => value !== condition.value);
  }
  return given.some((value) => COMPARE[condition.operator](value, condition.value));
}
