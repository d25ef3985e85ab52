/** The process: builds it, notifies about one order, prints the report. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isResonateError, type Logger, Resonate } from "@resonate-ts/sdk";
import type { Providers } from "./channels.ts";
import { notify } from "./notify.ts";
import { notify as notifyAsync } from "./notify-async.ts";
import type { Delivery, Order } from "./order.ts";
import { receivedLine, summary } from "./report.ts";
import { startSandbox } from "./sandbox.ts";
import { readSettings, type Settings } from "./settings.ts";

const asked = readSettings(process.argv.slice(2));
switch (asked.kind) {
  case "run":
    await run(asked.settings).catch(fail);
    break;
  case "help":
    process.stdout.write(asked.text);
    break;
  case "wrong":
    process.stderr.write(`${asked.line}\n`);
    process.exitCode = 2;
}

async function run(settings: Settings): Promise<void> {
  mkdirSync(settings.data, { recursive: true });
  let sentNow = 0;
  const sandbox = await startSandbox({
    path: join(settings.data, "sandbox.jsonl"),
    failsFirst: settings.crash ? "push" : undefined,
    onReceived: (received) => {
      sentNow++;
      print(receivedLine(received));
    },
  });
  const resonate = open(settings, sandbox);
  stopOnSignal(resonate);

  const order: Order = { id: settings.order, customer: "ada", total: 4_200 };
  const id = `notify-${order.id}`;
  print(`Order ${order.id}, process ${process.pid}; after a crash, go on with --order ${order.id}`);
  const since = performance.now();
  const deliveries = await resonate.run<readonly Delivery[]>(id, "notify", order);
  const wallMs = performance.now() - since;
  const received = sandbox.received.filter(({ key }) => key.startsWith(`${id}:`));
  print(summary({ deliveries, received, sentNow, wallMs }));

  await resonate.stop();
  await sandbox.close();
}

/** Both versions of the function go by one name: they leave the same record, so one can finish what the other began. */
function open({ style, server, data }: Settings, providers: Providers): Resonate {
  const where = server === undefined ? { path: join(data, "notifications.db") } : { url: server };
  const resonate = new Resonate({ ...where, group: "notifications", logger: terminalLogger() });
  resonate.setDependency("providers", providers);
  resonate.register("notify", style === "async" ? notifyAsync : notify);
  return resonate;
}

/** The first signal gives back what this process holds and exits 0; a second one exits at once. */
function stopOnSignal(resonate: Resonate): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(1);
    stopping = true;
    await resonate.stop();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: unknown): void {
  // A signal stopped it, and ends the process.
  if (isResonateError(error, "STOPPED")) return;
  process.stderr.write(
    `fan-out-notifications: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
}

/** What the SDK has to say that a person should know. */
function terminalLogger(): Logger {
  const silent = () => {};
  const loud = (_: object, message: string) => process.stderr.write(`${message}\n`);
  return { debug: silent, info: silent, warn: loud, error: loud };
}
