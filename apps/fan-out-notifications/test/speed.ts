/**
 * `tsx test/speed.ts [RECIPIENTS] [ROUNDS]`: how long one event to many recipients takes through the sandbox, by email,
 * SMS and push, beside the same sends from a plain bounded loop that remembers nothing. Both in turn, in this process;
 * prints medians and their ratio.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate } from "@resonate-ts/sdk";
import { broadcast, GROUP, notifyBatch } from "../src/broadcast.ts";
import type { Plan, Recipient, Route } from "../src/notification.ts";
import { notify } from "../src/notify.ts";
import { openPost } from "../src/post.ts";
import { readList, readSlice } from "../src/recipients.ts";
import { sampleRecipient, startSandbox } from "../src/sandbox.ts";
import type { Post } from "../src/send.ts";

const CONCURRENCY = 100;
const CHANNELS = ["email", "sms", "push"] as const;
const EVENT = { id: "speed", subject: "Faster", text: "It is faster now." };

const [recipients = 10_000, rounds = 3] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "notifications-speed-"));
const path = join(folder, "list.jsonl");
const people = Array.from({ length: recipients }, (_, at) => sampleRecipient(at));
writeFileSync(path, people.map((one) => JSON.stringify(one)).join("\n"));
const times = { plain: [] as number[], durable: [] as number[] };
for (let round = 0; round < rounds; round++) {
  times.plain.push(await timed(round, "plain", (post) => loop(post, people)));
  times.durable.push(await timed(round, "durable", durably));
}
rmSync(folder, { recursive: true, force: true });
const [plain, durable] = [median(times.plain), median(times.durable)];
const shown = Object.entries(times).map(
  ([name, all]) => `${name} ${all.map(seconds).join(", ")} s`,
);
process.stdout.write(
  `${recipients} recipients, ${recipients * CHANNELS.length} messages: ${shown.join("; ")}; ratio ${(durable / plain).toFixed(2)}\n`,
);

async function timed(
  round: number,
  name: string,
  work: (post: Post, database: string) => Promise<unknown>,
): Promise<number> {
  const own = join(folder, `${name}-${round}`);
  const sandbox = await startSandbox({ path: `${own}.jsonl`, slow: false });
  const acknowledgeUrl = () => "";
  const post = openPost({ accounts: {}, sandbox, rates: {}, acknowledgeUrl, note() {} });
  const since = performance.now();
  await work(post, `${own}.db`);
  const ms = performance.now() - since;
  const delivered = new Set(sandbox.received.map(({ key }) => key)).size;
  if (delivered !== recipients * CHANNELS.length)
    throw new Error(`${name}: ${delivered} delivered`);
  post.close();
  await sandbox.close();
  return ms;
}

/** The same sends, and nothing else. */
async function loop({ adapters, gates }: Post, all: readonly Recipient[]): Promise<void> {
  const { signal } = new AbortController();
  const queue = all.entries();
  const worker = async () => {
    for (const [at, recipient] of queue) {
      await Promise.all(
        CHANNELS.map((channel) => {
          const message = { key: `notify-${at}:${channel}`, event: EVENT, recipient };
          return gates[channel].pass(() => adapters[channel].send(message, signal), signal);
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function durably(post: Post, database: string): Promise<void> {
  const resonate = new Resonate({ path: database, group: GROUP });
  resonate.setDependency("post", post);
  resonate.register("notify", notify);
  resonate.register(broadcast);
  resonate.register(notifyBatch);
  resonate.register(readSlice);
  const usual = { via: "sandbox", timeoutMs: 30_000, attemptsMax: 6 } as const;
  const route = (channel: Route["channel"]): Route => ({
    ...usual,
    channel,
    ambiguous: channel === "sms" ? "reconcile" : "retry",
  });
  const plan: Plan = { branches: [], policy: "all", acknowledgeMs: 1_000 };
  await resonate.run("notify-speed", "broadcast", {
    event: EVENT,
    list: readList(path),
    plan: { ...plan, branches: CHANNELS.map((channel) => ({ route: route(channel) })) },
    team: plan,
    concurrency: CONCURRENCY,
  });
  await resonate.stop();
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
