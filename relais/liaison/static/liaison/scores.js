/* NEWS2, qSOFA and the rule FG-R1 as one types: the same as relais/liaison/scores.py, from the tables that it gives
   (a test compares). `answers` are {linkId: [values]}. */

const VITAL = "urgence vitale";

function first(answers, name) {
  const given = answers[name] || [];
  return given.length ? given[0] : null;
}

function points(bands, value) {
  return bands.find((band) => band[0] === null || value <= band[0])[1];
}

export function score(tables, answers) {
  const found = {};
  const number = (name) => {
    const value = first(answers, name);
    return typeof value === "number" ? value : null;
  };
  Object.keys(tables.news2).forEach((name) => {
    if (number(name) !== null) {
      found[name] = points(tables.news2[name], number(name));
    }
  });
  const oxygen = number("fg.o2debit") > 0;
  const spo2 = number("fg.spo2");
  if (spo2 !== null) {
    const bpco = (answers["fg.comorb"] || []).indexOf("bpco") >= 0;
    const scale = oxygen ? tables.scale2Oxygen : tables.scale2Air;
    found["fg.spo2"] = points(bpco ? scale : tables.scale1, spo2);
  }
  const awake = first(answers, "fg.conscience");
  if (awake) {
    found["fg.conscience"] = awake === "A" ? 0 : tables.confused;
  }
  const news2 = Object.keys(found).reduce((sum, name) => sum + found[name], oxygen ? tables.oxygen : 0);
  const rate = number("fg.fr");
  const pressure = number("fg.pas");
  const qsofa = [
    rate !== null && rate >= tables.qsofaRate,
    pressure !== null && pressure <= tables.qsofaPressure,
    Boolean(awake) && awake !== "A",
  ].filter(Boolean).length;
  const red = [
    [first(answers, "fg.urgence") === "vitale", VITAL],
    [news2 >= tables.high, `NEWS2 de ${news2}`],
    [tables.unresponsive.indexOf(awake) >= 0, "ne réagit pas à la voix"],
    [spo2 !== null && spo2 < tables.redSpo2, `SpO2 sous ${tables.redSpo2} %`],
    [pressure !== null && pressure < tables.redPressure, `pression systolique sous ${tables.redPressure} mmHg`],
    [rate !== null && rate >= tables.redRate, `fréquence respiratoire de ${tables.redRate} ou plus`],
  ];
  const why = red.filter((one) => one[0]).map((one) => one[1]);
  return {
    news2,
    qsofa,
    missing: Object.keys(tables.names).filter((name) => !(name in found)).map((name) => tables.names[name]),
    red: why,
    redBySigns: why.some((one) => one !== VITAL),
  };
}
