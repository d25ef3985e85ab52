/** The process: builds a worker, starts it, stops it on a signal. */
import { Resonate } from "@resonate-ts/sdk";
import { factorial, factorialInput, GROUP } from "./factorial.ts";
import type { Report } from "./multiply.ts";
import { product, productInput } from "./product.ts";
import { readSettings, type Settings } from "./settings.ts";
import { onEnd, shown, Terminal, terminalLogger } from "./terminal.ts";
import { waitForServer } from "./wait-for-server.ts";

const asked = readSettings(process.argv.slice(2));
switch (asked.kind) {
  case "run":
    await start(asked.settings);
    break;
  case "help":
    process.stdout.write(asked.text);
    break;
  case "wrong":
    process.stderr.write(`${asked.line}\n`);
    process.exitCode = 2;
}

async function start({ server, token, name, pauseMs, json }: Settings): Promise<void> {
  const terminal = new Terminal({ name, json });
  let stop = async () => {};
  onEnd(() => stop());
  await waitForServer(server, () => {
    terminal.line(
      `No Resonate server answers at ${server}. Start one with "pnpm resonate dev"; waiting for it.`,
    );
    terminal.event("waiting", { server });
  });
  const resonate = new Resonate({
    url: server,
    ...(token && { token }),
    group: GROUP,
    pid: `${name}-${process.pid}`,
    logger: terminalLogger(terminal),
  });
  stop = () => resonate.stop();
  const report: Report = (call, product) => {
    terminal.line(`${call} = ${shown(product)}`);
    terminal.event("computed", { call, product: String(product) });
  };
  resonate.setDependency("report", report);
  resonate.setDependency("pauseMs", pauseMs);
  resonate.register("factorial", factorial, { input: factorialInput });
  resonate.register("product", product, { input: productInput });
  const { pid } = process;
  terminal.line(`serves group ${GROUP} of ${server}, process ${pid}; Ctrl-C stops it`);
  terminal.event("start", { server, group: GROUP, pid });
}
