/** The process: builds it, notifies about one order, prints the report. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isResonateError, Resonate } from "@resonate-ts/sdk";
import type { Providers } from "./channels.ts";
import { notify } from "./notify.ts";
import { notify as notifyAsync } from "./notify-async.ts";
import { callId, type Delivery, type Order, orderOf } from "./order.ts";
import { summary } from "./report.ts";
import { RequestLog } from "./request-log.ts";
import { startSandbox } from "./sandbox.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";
import { onEnd, print, terminalLogger } from "./terminal.ts";

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
  let resonate: Resonate | undefined;
  onEnd(async () => resonate?.stop());
  makeFolder(settings.data);
  const log = new RequestLog(settings.order, print);
  const sandbox = await startSandbox({
    path: join(settings.data, "sandbox.jsonl"),
    failsFirst: settings.crash ? "push" : undefined,
    onReceived: (received) => log.note(received),
  });
  resonate = open(settings, sandbox);

  const order: Order = { id: settings.order, customer: "ada", total: 4_200 };
  const id = callId(order.id);
  print(`Order ${order.id}, process ${process.pid}; after a crash, go on with --order ${order.id}`);
  const since = performance.now();
  const deliveries = await resonate.run<readonly Delivery[]>(id, "notify", order);
  const wallMs = performance.now() - since;
  const received = sandbox.received.filter(({ key }) => orderOf(key) === order.id);
  print(summary({ deliveries, received, sentNow: log.sent, wallMs }));

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

/** @throws SettingsError. */
function makeFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`--data (NOTIFICATIONS_DATA) cannot be a folder: ${why}`);
  }
}

function fail(error: unknown): void {
  // A signal stopped it, and ends the process.
  if (isResonateError(error, "STOPPED")) return;
  process.stderr.write(
    `fan-out-notifications: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  const unusable = error instanceof SettingsError || isStoreError(error);
  process.exit(unusable ? 2 : 1);
}

/** The file is another process's, or it cannot be used. */
function isStoreError(error: unknown): boolean {
  return isResonateError(error, "STORE_IN_USE") || isResonateError(error, "STORE_UNUSABLE");
}
