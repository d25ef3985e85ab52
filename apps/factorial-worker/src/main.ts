/** The process: builds a worker, starts it, stops it on a signal. */
import { Resonate } from "@resonate-ts/sdk";
import { factorial, GROUP } from "./factorial.ts";
import type { Report } from "./multiply.ts";
import { readSettings, type Settings } from "./settings.ts";
import { lineWriter, onEnd, shown, terminalLogger } from "./terminal.ts";

const asked = readSettings(process.argv.slice(2));
switch (asked.kind) {
  case "run":
    start(asked.settings);
    break;
  case "help":
    process.stdout.write(asked.text);
    break;
  case "wrong":
    process.stderr.write(`${asked.line}\n`);
    process.exitCode = 2;
}

function start({ server, name, pauseMs }: Settings): void {
  const write = lineWriter(name);
  const resonate = new Resonate({
    url: server,
    group: GROUP,
    pid: `${name}-${process.pid}`,
    logger: terminalLogger(write),
  });
  onEnd(() => resonate.stop());
  const report: Report = (n, product) => write(`factorial(${n}) = ${shown(product)}`);
  resonate.setDependency("report", report);
  resonate.setDependency("pauseMs", pauseMs);
  resonate.register("factorial", factorial);
  write(`serves group ${GROUP} of ${server}, process ${process.pid}; Ctrl-C stops it`);
}
