/** The process: builds it, notifies about one order, prints the report. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isResonateError, Resonate, type ResonateOptions } from "@resonate-ts/sdk";
import { listenForAcknowledgements } from "./acknowledge.ts";
import {
  type BatchReport,
  type BroadcastReport,
  batchSchema,
  broadcast,
  broadcastSchema,
  GROUP,
  notifyBatch,
} from "./broadcast.ts";
import { type Call, callFor } from "./call.ts";
import { callId, eventOf, notificationSchema, type Report } from "./notification.ts";
import { notify } from "./notify.ts";
import { notify as notifyAsync } from "./notify-async.ts";
import { openPost } from "./post.ts";
import { Progress } from "./progress.ts";
import { broadcastSummary, isDone, jsonLines, type Seen, summary } from "./report.ts";
import { startSandbox } from "./sandbox.ts";
import type { Asked, Fault } from "./sandbox-desk.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";
import { onEnd, Terminal, terminalLogger } from "./terminal.ts";
import { waitForServer } from "./wait-for-server.ts";

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
  const { data, json, event, unseen } = settings;
  const terminal = new Terminal({ json });
  onEnd(async () => {
    terminal.end();
    await resonate?.stop();
  });
  makeFolder(data);
  const where = await placeOf(settings);
  const sandbox = await startSandbox({
    path: join(data, "sandbox.jsonl"),
    slow: settings.list === undefined,
    awake: !unseen,
    faults: settings.crash ? pushFailsFirst : undefined,
  });
  const acknowledgements = await listenForAcknowledgements({
    ...settings.acknowledge,
    seen: async (promise) => resonate?.promises.resolveValue(promise, true),
  });
  const progress = new Progress(event.id, terminal);
  const post = openPost({
    ...settings,
    sandbox,
    acknowledgeUrl: acknowledgements.urlOf,
    note: progress.note,
  });
  resonate = new Resonate({ ...where, group: GROUP, logger: terminalLogger() });
  resonate.setDependency("post", post);
  register(resonate, settings);

  const call = await callFor(resonate, settings);
  terminal.line(
    `Order ${event.id}, process ${process.pid}; after a crash, go on with --order ${event.id}`,
  );
  terminal.event("start", { order: event.id, pid: process.pid });
  const seen = (wallMs: number): Seen => ({
    received: sandbox.received.filter(({ key }) => eventOf(key) === event.id),
    sentNow: progress.sent,
    wallMs,
  });
  await perform({ resonate, call, settings, terminal, progress, seen });

  await resonate.stop();
  post.close();
  await Promise.all([sandbox.close(), acknowledgements.close()]);
}

/** Both versions of `notify` go by one name: they leave the same record, so one can finish what the other began. */
function register(resonate: Resonate, { style }: Settings): void {
  const fn = style === "async" ? notifyAsync : notify;
  resonate.register("notify", fn, { input: notificationSchema });
  resonate.register(broadcast, { input: broadcastSchema });
  resonate.register(notifyBatch, { input: batchSchema });
}

interface Performance {
  readonly resonate: Resonate;
  readonly call: Call;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly seen: (wallMs: number) => Seen;
}

async function perform(performance: Performance): Promise<void> {
  const { call, terminal } = performance;
  const { text, done, fields } = await (call.func === "notify"
    ? notifyOne(performance)
    : notifyMany(performance, call.args.list.count, call.args.plan.branches.length));
  terminal.end();
  terminal.line(text);
  terminal.event("end", { met: done, ...fields });
  if (!done) process.exitCode = 1;
}

interface Told {
  readonly text: string;
  readonly done: boolean;
  readonly fields: object;
}

async function notifyOne({ resonate, call, seen }: Performance): Promise<Told> {
  const since = performance.now();
  const id = callId(call.args.event.id);
  const report = await resonate.run<Report>(id, call.func, call.args);
  const text = summary(report, seen(performance.now() - since));
  return { text, done: report.met, fields: { outcomes: report.outcomes } };
}

async function notifyMany(
  { resonate, call, settings, progress, seen }: Performance,
  recipients: number,
  branches: number,
): Promise<Told> {
  const since = performance.now();
  progress.messages = recipients * branches;
  const { id } = call.args.event;
  const result = await resonate.run<BroadcastReport>(callId(id), call.func, call.args);
  const wallMs = performance.now() - since;
  const batches: BatchReport[] = [];
  for (const batch of result.batches) {
    const { value } = await resonate.promises.getValue(batch);
    // It is what `notifyBatch` returned.
    batches.push(value as BatchReport);
  }
  const reports = batches.flatMap((batch) => batch.reports);
  const file = join(settings.data, `${id}.jsonl`);
  writeWhole(file, jsonLines(result.team, batches));
  const text = `${broadcastSummary(result, reports, seen(wallMs))}\nWritten: ${file}`;
  return { text, done: isDone(result, reports), fields: { file } };
}

/** It appears whole or not at all, also when several processes of an order write the same. */
function writeWhole(file: string, content: string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

/** A server, once it is there, or a file. */
async function placeOf({ server, token, data }: Settings): Promise<ResonateOptions> {
  if (server === undefined) return { path: join(data, "notifications.db") };
  await waitForServer(server, () => {
    process.stderr.write(
      `No Resonate server answers at ${server}. Start one with "pnpm resonate dev"; waiting for it.\n`,
    );
  });
  return { url: server, ...(token && { token }) };
}

/** `--crash`. */
function pushFailsFirst({ channel }: Asked, attempt: number): Fault | undefined {
  return channel === "push" && attempt === 1 ? { kind: "refuse", status: 503 } : undefined;
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
