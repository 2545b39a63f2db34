// One Node process kept open by the tests: a JSON line in, a JSON line out. It judges and closes as a telephone does.
import readline from "node:readline";
import { fired } from "../../questionnaires/static/questionnaires/condition.js";
import { seal } from "../../core/static/core/offline/seal.js";

const lines = readline.createInterface({ input: process.stdin });
for await (const line of lines) {
  const asked = JSON.parse(line);
  const given = asked.seal;
  const answer = given
    ? Object.assign(
        { grant: given.grant },
        await seal(given.purpose, given.server, given.grant, given.request, given.content)
      )
    : asked.sets.map((one) => fired(asked.rules, one.answers, one.facts).map((rule) => rule.id));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
