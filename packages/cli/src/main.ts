/** The process: looks at its Node before it loads anything that an old one could not load. */
import { nodeProblem } from "./node-version.ts";

const problem = nodeProblem(process.versions.node);
if (problem === undefined) {
  const [{ run }, { processTerminal }] = await Promise.all([
    import("./run.ts"),
    import("./terminal.ts"),
  ]);
  process.exitCode = await run(process.argv.slice(2), processTerminal());
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
