// The browser's scores for the tests: a JSON line in, a JSON line out.
import readline from "node:readline";
import { score } from "../static/liaison/scores.js";

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { tables, cases } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(cases.map((answers) => score(tables, answers)))}\n`);
});
