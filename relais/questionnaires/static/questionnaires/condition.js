/* A condition of the rules, as a tree (trees.py), computed over answers: the twin of expressions.py; a test on generated
   answers holds them equal. A missing value is null and follows SQL: a condition that is null does not hold. */

function both(name) {
  const stops = name === "or";
  return (values, left, right) => {
    const a = compute(left, values);
    const b = compute(right, values);
    if (a === stops || b === stops) {
      return stops;
    }
    return a === null || b === null ? null : !stops;
  };
}

/* Of two values that are there. */
function known(operation) {
  return (values, left, right) => {
    const a = compute(left, values);
    const b = compute(right, values);
    return a === null || b === null ? null : operation(a, b);
  };
}

const WORDS = {
  and: both("and"),
  or: both("or"),
  "=": known((a, b) => a === b),
  "!=": known((a, b) => a !== b),
  ">": known((a, b) => a > b),
  ">=": known((a, b) => a >= b),
  "<": known((a, b) => a < b),
  "<=": known((a, b) => a <= b),
  "+": known((a, b) => a + b),
  "-": known((a, b) => a - b),
  "*": known((a, b) => a * b),
  not(values, one) {
    const value = compute(one, values);
    return value === null ? null : !value;
  },
  neg(values, one) {
    const value = compute(one, values);
    return value === null ? null : -value;
  },
  between(values, one, low, high) {
    return compute(["and", [">=", one, low], ["<=", one, high]], values);
  },
  in(values, one, wanted) {
    const value = compute(one, values);
    return value === null ? null : wanted.indexOf(value) >= 0;
  },
  null(values, one) {
    return compute(one, values) === null;
  },
  is(values, one, wanted) {
    return compute(one, values) === wanted;
  },
  coalesce(values, ...parts) {
    const found = parts.map((part) => compute(part, values)).find((value) => value !== null);
    return found === undefined ? null : found;
  },
  has(values, one, wanted) {
    const value = compute(one, values);
    return value === null ? null : value.some((code) => wanted.indexOf(code) >= 0);
  },
  name(values, name) {
    const given = Object.prototype.hasOwnProperty.call(values, name) ? values[name] : null;
    return given === undefined ? null : given;
  },
  value(values, plain) {
    return plain;
  },
};

function compute(tree, values) {
  return WORDS[tree[0]](values, ...tree.slice(1));
}

/* Whether a condition holds over {name: value}. */
export function holds(tree, values) {
  return compute(tree, values) === true;
}

/* Answers ({linkId: [values]}) as one value a name, by the kinds of `names`: the twin of columns.values. */
export function valuesOf(names, answers) {
  const found = {};
  Object.keys(names).forEach((name) => {
    const given = (answers[name] || []).filter((each) => each === null || typeof each !== "object");
    if (!given.length) {
      return;
    }
    if (names[name] === "codes") {
      found[name] = given.map(String);
    } else {
      found[name] = names[name] === "number" ? Number(given[0]) : given[0];
    }
  });
  return found;
}

/* Of rules [{id, level, when}], those that fire. `facts` are {name: value} of the follow-up. */
export function fired(rules, answers, facts) {
  const values = Object.assign({}, facts, valuesOf(rules.names, answers));
  return rules.rules.filter((rule) => holds(rule.when, values));
}
