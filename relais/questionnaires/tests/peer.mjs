// One Node process kept open by the tests: a JSON line in, a JSON line out.
import readline from "node:readline";
import { check, enabled } from "../static/questionnaires/logic.js";

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { form, answers, today, draft } = JSON.parse(line);
  const checked = check(form, answers, today, draft);
  const answer = {
    enabled: Array.from(enabled(form, answers)).sort(),
    answers: checked.answers,
    errors: checked.errors,
    checked: Array.from(checked.enabled).sort(),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
