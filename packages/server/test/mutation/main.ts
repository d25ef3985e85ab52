/** Shows every mutant to the tests and says which were found: `tsx packages/server/test/mutation/main.ts [PART OF A NAME]`. */
import { mutants } from "./mutants.ts";
import { Workshop } from "./workshop.ts";

const [part = ""] = process.argv.slice(2);
const chosen = mutants.filter(({ name, question = "" }) => `${question} ${name}`.includes(part));
const say = (text: string) => process.stdout.write(`${text}\n`);

const workshop = await Workshop.open();
try {
  if ((await workshop.untouched(chosen)) === "red") throw new Error("red without any mutant");
  let found = 0;
  for (const mutant of chosen) {
    const verdict = await workshop.judge(mutant);
    if (verdict === "red") found++;
    say(`${verdict === "red" ? "found " : "MISSED"} ${mutant.question ?? "   "} ${mutant.name}`);
  }
  say(`${found}/${chosen.length}`);
  process.exitCode = found === chosen.length ? 0 : 1;
} finally {
  await workshop.close();
}
