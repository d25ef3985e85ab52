/** One event to many, by several processes and a server, any of which is killed at any time, to providers that fail. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seeded } from "@resonate-ts/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Sandbox,
  sampleRecipient,
  startSandbox,
} from "../../apps/fan-out-notifications/src/sandbox.ts";
import type { Asked, Fault } from "../../apps/fan-out-notifications/src/sandbox-desk.ts";
import type { Received } from "../../apps/fan-out-notifications/src/sandbox-ledger.ts";
import { accountsEnv } from "../../apps/fan-out-notifications/test/accounts-env.ts";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";
import { Fire, LONG, WORKERS } from "./fire.ts";

/** The longest that it may take, in ms; on an idle machine it takes a tenth of that. */
const PATIENCE_MS = LONG ? 1_200_000 : 240_000;
const RECIPIENTS = LONG ? 2_000 : 400;
/** Recipients that one process may have under way, each with a message per personal channel. */
const CONCURRENCY = 24;
const PERSONAL = ["email", "sms", "push"];
const TEAM = ["slack", "webhook"];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "notifications-fire-"));
});
afterEach(async () => {
  await stopPrograms();
  rmSync(folder, { recursive: true, force: true });
});

test("whatever is killed, everybody is told over every channel, each by one key", {
  timeout: PATIENCE_MS,
}, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const random = seeded(seed);
  const sandbox = await startSandbox({
    path: join(folder, "providers.jsonl"),
    faults: ({ channel }: Asked, attempt: number) =>
      attempt > 2 ? undefined : faultOf(random(), channel === "email" ? 451 : 503),
  });
  const list = join(folder, "list.jsonl");
  writeFileSync(list, recipients(sandbox).join("\n"));
  const fire = new Fire({
    folder,
    random,
    startWorker: (url) => notifier({ url, list, env: accountsEnv(sandbox) }),
  });
  await fire.burn();
  const received = sandbox.received;
  await sandbox.close();

  const told = `SEED=${seed}, ${fire.workerKills} processes and ${fire.serverKills} servers killed`;
  process.stdout.write(`${told}\n`);
  expect(fire.workerKills, told).toBeGreaterThan(1);
  expect(fire.serverKills, told).toBeGreaterThan(0);
  const messages = RECIPIENTS * PERSONAL.length + TEAM.length;
  const byMessage = Map.groupBy(received, ({ channel, to }) => `${channel} ${to}`);
  expect(byMessage.size, told).toBe(messages);
  const wrong = [...byMessage].filter(
    ([, requests]) =>
      new Set(requests.map(({ key }) => key)).size !== 1 || deliveries(requests) !== 1,
  );
  expect(wrong, told).toEqual([]);
  // A request is made again where it was refused or cut, or where a kill came before its record.
  const unexplained = [...byMessage.values()].reduce(
    (sum, requests) => sum + needless(requests),
    0,
  );
  const underWay = CONCURRENCY * PERSONAL.length + TEAM.length;
  const kills = fire.workerKills + fire.serverKills * WORKERS;
  expect(unexplained, told).toBeLessThanOrEqual(kills * underWay);
  const outcomes = readFileSync(join(folder, "fire.jsonl"), "utf8").trim().split("\n");
  expect(outcomes.filter((line) => JSON.parse(line).outcome === "delivered").length, told).toBe(
    messages,
  );
});

function deliveries(requests: readonly Received[]): number {
  return requests.filter(({ did }) => did === "delivered").length;
}

/** Repeated requests beyond those that followed one whose answer was cut off. */
function needless(requests: readonly Received[]): number {
  const repeated = requests.filter(({ did }) => did === "repeated").length;
  const cut = requests.filter((one) => one.cut).length;
  return Math.max(0, repeated - cut);
}

/** Of a hundred requests, five are cut, two hang, and four are refused for now. */
function faultOf(chance: number, later: number): Fault | undefined {
  if (chance < 0.05) return { kind: "cut" };
  if (chance < 0.07) return { kind: "hang" };
  return chance < 0.11 ? { kind: "refuse", status: later, retryAfter: 1 } : undefined;
}

/** The lines of a list of recipients, as the app reads it. */
function recipients(sandbox: Sandbox): string[] {
  return Array.from({ length: RECIPIENTS }, (_, at) => {
    const { push, ...person } = sampleRecipient(at);
    const endpoint = `${sandbox.push.url}/push/${person.id}`;
    return JSON.stringify({ ...person, push: { ...push, endpoint } });
  });
}

/** A process that tells everybody on the list. */
function notifier({
  url,
  list,
  env,
}: {
  url: string;
  list: string;
  env: Readonly<Record<string, string>>;
}): Program {
  const channels = [...PERSONAL, ...TEAM];
  const all = (value: number) => channels.map((channel) => `${channel}=${value}`).join(",");
  const args = [
    ...["--order", "fire", "--server", url, "--data", folder],
    ...["--recipients", list, "--channels", channels.join(",")],
    ...["--concurrency", String(CONCURRENCY), "--timeout-ms", all(4_000), "--rate", all(1_000)],
  ];
  return new Program({ entry: "apps/fan-out-notifications/src/main.ts", args, env });
}
