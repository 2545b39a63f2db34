/* One question: what was typed becomes values, and values are judged. The twin of logic/values.py, line by line; a test
   on generated questionnaires holds them equal. The sentences come with the form (form.sentences). */

export const MOST = 20;
const BIGGEST = 1e9;
const FREE_TEXT = 300;
const BLANK = /^[ \t\r\n\u00a0\u202f]+|[ \t\r\n\u00a0\u202f]+$/g;
const NUMBER = /^(-?[0-9]{1,9})(?:[.,]([0-9]{1,9}))?$/;
const ISO_DAY = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const FRENCH_DAY = /^([0-9]{1,2})\/([0-9]{1,2})\/([0-9]{4})$/;
const HOUR = /^([0-9]{1,2})[:hH]([0-9]{2})(?::[0-9]{2})?$/;
const REFERENCE = /^[A-Za-z0-9._-]{1,64}$/;
const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// With the flag u, a surrogate in a class is a half character alone.
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]/gu;

/* A value that is none: `key` and `values` of its sentence. */
class Bad extends Error {
  constructor(key, values) {
    super(key);
    this.key = key;
    this.values = values || {};
  }
}

export function isObject(raw) {
  return raw !== null && typeof raw === "object" && !Array.isArray(raw);
}

function strip(text) {
  return text.replace(BLANK, "");
}

/* Nothing was given: null, spaces, or a list or object of such. */
export function isBlank(raw) {
  if (raw === null || raw === undefined) {
    return true;
  }
  if (typeof raw === "string") {
    return strip(raw) === "";
  }
  if (Array.isArray(raw)) {
    return raw.every(isBlank);
  }
  if (isObject(raw)) {
    return Object.keys(raw).every((name) => isBlank(raw[name]));
  }
  return false;
}

/* The sentence of a key with its values. */
export function say(sentences, key, values) {
  return Object.keys(values || {}).reduce((text, name) => text.split(`{${name}}`).join(values[name]), sentences[key]);
}

function hasOption(item, code) {
  return (item.options || []).some((option) => option.code === code);
}

/* {values, error}: the well-formed values of what was given for a question, in the order they are kept in. */
export function parse(item, raw, sentences) {
  const given = (Array.isArray(raw) ? raw : [raw]).filter((each) => !isBlank(each));
  let values = [];
  let error = "";
  given.forEach((each) => {
    try {
      values.push(READERS[item.type](item, each));
    } catch (bad) {
      if (!(bad instanceof Bad)) {
        throw bad;
      }
      error = error || say(sentences, bad.key, bad.values);
    }
  });
  if (item.options) {
    const coded = item.options.map((option) => option.code).filter((code) => values.indexOf(code) >= 0);
    values = coded.concat(values.filter((value) => typeof value !== "string"));
  }
  if (!error && values.length > 1 && !item.repeats) {
    error = say(sentences, "single");
  }
  if (!error && values.length > MOST) {
    error = say(sentences, "many", { count: String(MOST) });
  }
  return { values, error };
}

function readBoolean(item, raw) {
  if (raw === true || raw === "true" || raw === "oui") {
    return true;
  }
  if (raw === false || raw === "false" || raw === "non") {
    return false;
  }
  throw new Bad("boolean");
}

function readNumber(item, raw) {
  const [whole, fraction] = figures(item, raw);
  if (fraction && item.type === "integer") {
    throw new Bad("integer");
  }
  const most = item.decimals || 0;
  if (fraction.length > most) {
    throw new Bad(most < 2 ? `decimals_${most}` : "decimals", { count: String(most) });
  }
  return Number(item.type === "integer" ? whole : `${whole}.${fraction || 0}`) + 0;
}

function figures(item, raw) {
  let text;
  if (typeof raw === "string") {
    text = strip(raw);
  } else if (typeof raw !== "number" || !isFinite(raw) || Math.abs(raw) >= BIGGEST) {
    throw new Bad(item.type);
  } else {
    text = String(raw);
    if (Math.abs(raw) < 0.0001 && raw !== 0) {
      return ["0", "00001"];
    }
  }
  const found = NUMBER.exec(text);
  if (!found) {
    throw new Bad(item.type);
  }
  return [found[1], (found[2] || "").replace(/0+$/, "")];
}

function two(number) {
  return String(number).padStart(2, "0");
}

function iso(year, month, day) {
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

function readDate(item, raw) {
  const text = typeof raw === "string" ? strip(raw) : "";
  let parts = ISO_DAY.exec(text);
  if (!parts) {
    const french = FRENCH_DAY.exec(text);
    parts = french && [text, french[3], french[2], french[1]];
  }
  if (!parts) {
    throw new Bad("date");
  }
  const [year, month, day] = parts.slice(1).map(Number);
  const made = new Date(Date.UTC(year, month - 1, day));
  const real = made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
  if (!real || year < 1900 || year >= 2200) {
    throw new Bad("date");
  }
  return iso(year, month, day);
}

function readTime(item, raw) {
  const found = typeof raw === "string" ? HOUR.exec(strip(raw)) : null;
  if (!found || Number(found[1]) > 23 || Number(found[2]) > 59) {
    throw new Bad("time");
  }
  return `${two(Number(found[1]))}:${found[2]}`;
}

function readText(item, raw) {
  if (typeof raw !== "string") {
    throw new Bad("text");
  }
  let text = raw.replace(/\r\n/g, "\n").replace(/\r/g, "\n").replace(UNPRINTABLE, "");
  if (item.type !== "text") {
    text = text.replace(/\n/g, " ");
  }
  text = strip(text);
  if (!text) {
    throw new Bad("text");
  }
  return text;
}

function readChoice(item, raw) {
  if (typeof raw === "string" && hasOption(item, raw)) {
    return raw;
  }
  throw new Bad("choice");
}

function readOpenChoice(item, raw) {
  if (isObject(raw) && typeof raw.text === "string") {
    return { text: readText(item, raw.text) };
  }
  return readChoice(item, raw);
}

function matching(pattern, key) {
  return (item, raw) => {
    if (typeof raw === "string" && pattern.test(raw)) {
      return raw;
    }
    throw new Bad(key);
  };
}

const READERS = {
  boolean: readBoolean,
  integer: readNumber,
  decimal: readNumber,
  date: readDate,
  time: readTime,
  string: readText,
  text: readText,
  choice: readChoice,
  "open-choice": readOpenChoice,
  attachment: matching(UUID_TEXT, "attachment"),
  reference: matching(REFERENCE, "reference"),
};

/* What is wrong with well-formed values, "" when nothing is. */
export function judge(item, values, today, draft, sentences) {
  if (!values.length) {
    return item.required && !draft ? say(sentences, item.mustBeTrue ? "must_be_true" : "required") : "";
  }
  if (item.mustBeTrue && values[0] !== true && !draft) {
    return say(sentences, "must_be_true");
  }
  const exclusive = (item.options || []).find((option) => option.exclusive && values.indexOf(option.code) >= 0);
  if (exclusive && values.length > 1) {
    return say(sentences, "exclusive", { label: exclusive.label });
  }
  return values.map((value) => judgeOne(item, value, today, draft, sentences)).find(Boolean) || "";
}

function length(text) {
  return Array.from(text).length;
}

function judgeOne(item, value, today, draft, sentences) {
  if (item.type === "integer" || item.type === "decimal") {
    return judgeNumber(item, value, sentences);
  }
  if (item.type === "date") {
    return judgeDay(item, value, today, sentences);
  }
  if (item.type === "open-choice" && isObject(value) && length(value.text) > FREE_TEXT) {
    return say(sentences, "long", { count: String(FREE_TEXT) });
  }
  if (item.type === "string" || item.type === "text") {
    if (item.maxLength !== undefined && length(value) > item.maxLength) {
      return say(sentences, "long", { count: String(item.maxLength) });
    }
    if (!draft && item.minLength !== undefined && length(value) < item.minLength) {
      return say(sentences, "short", { count: String(item.minLength) });
    }
  }
  return "";
}

function figure(number) {
  return String(number).replace(".", ",");
}

function judgeNumber(item, value, sentences) {
  const low = item.min;
  const high = item.max;
  if (!(low !== undefined && value < low) && !(high !== undefined && value > high)) {
    return "";
  }
  const key = low !== undefined && high !== undefined ? "between" : low !== undefined ? "at_least" : "at_most";
  return say(sentences, key, {
    min: low === undefined ? "" : figure(low),
    max: high === undefined ? "" : figure(high),
    unit: item.unit ? `\u00a0${item.unit}` : "",
  });
}

function shifted(today, days) {
  const [year, month, day] = today.split("-").map(Number);
  const moved = new Date(Date.UTC(year, month - 1, day + days));
  return iso(moved.getUTCFullYear(), moved.getUTCMonth() + 1, moved.getUTCDate());
}

function french(day) {
  return day.split("-").reverse().join("/");
}

/* {low, high} as 2026-11-21, "" where there is no limit. */
export function dayLimits(item, today) {
  const lows = item.min === undefined ? [] : [item.min];
  const highs = item.max === undefined ? [] : [item.max];
  if (item.daysMin !== undefined) {
    lows.push(shifted(today, item.daysMin));
  }
  if (item.daysMax !== undefined) {
    highs.push(shifted(today, item.daysMax));
  }
  return { low: lows.sort().pop() || "", high: highs.sort()[0] || "" };
}

function judgeDay(item, value, today, sentences) {
  const { low, high } = dayLimits(item, today);
  if (!(low && value < low) && !(high && value > high)) {
    return "";
  }
  const key = low && high ? "day_between" : low ? "day_from" : "day_until";
  return say(sentences, key, { min: low ? french(low) : "", max: high ? french(high) : "" });
}
