/** What the demo shows, one function per stage. Each throws when something is not as it must be. */
import { ok } from "node:assert/strict";
import { type Cluster, factorialOf, repeated } from "./cluster.ts";
import { Program } from "./program.ts";

const N = 20;
/** The call that is cut short: it is computed in the middle of the recursion's way back. */
const CUT = 10;
/** How soon a survivor must have finished what the killed worker had begun, in ms. */
const TAKEOVER_MS_MAX = 2_000;
const TREE_LINES = 6;

export type Say = (text: string) => void;

/** The main job: a recursion over three workers, one of which is killed. */
export async function computeAndKill(cluster: Cluster, say: Say): Promise<void> {
  const asked = cluster.ask(N);
  // Whatever goes wrong first is what is reported; the answer is waited for below.
  asked.catch(() => {});
  await cluster.product(CUT - 1);
  const victim = await cluster.holder(CUT);
  const killedAt = await cluster.kill(victim);
  say(`--> kill -9 ${victim}, which is computing factorial(${CUT})`);

  await cluster.product(CUT);
  const taken = cluster.computed().findLast(({ n }) => n === CUT);
  ok(taken, `factorial(${CUT}) was not computed`);
  const tookMs = taken.at - killedAt;
  say(`--> ${taken.worker} took it over and finished it ${tookMs.toFixed(0)} ms after the kill`);
  ok(taken.worker !== victim, "the killed worker was still computing");
  ok(tookMs < TAKEOVER_MS_MAX, `the takeover took more than ${TAKEOVER_MS_MAX} ms`);

  const { value, how } = await asked;
  const exact = factorialOf(N);
  say(
    `factorial(${N}) = ${value}, ${value === exact ? "equal to" : "NOT"} what a plain loop gives (${how})`,
  );
  ok(value === exact, `expected ${exact}`);
}

/** Nothing that was finished ran again, by the workers' own account. */
export function countComputed(cluster: Cluster, say: Say): void {
  const computed = cluster.computed();
  const again = repeated(computed, CUT);
  const missing = Array.from({ length: N }, (_, i) => i + 1).filter(
    (wanted) => !computed.some(({ n }) => n === wanted),
  );
  const byWorker = Map.groupBy(computed, ({ worker }) => worker);
  const shares = [...byWorker].map(([worker, own]) => `${worker} ${own.length}`).join(", ");
  say(
    `The workers' logs: ${computed.length} multiplications (${shares}); computed twice: ${again.length}.`,
  );
  ok(again.length === 0, `computed again: factorial of ${again.join(", ")}`);
  ok(missing.length === 0, `nobody says to have computed factorial of ${missing.join(", ")}`);
}

/** The same question again, and a smaller one: ids are what makes a cache of it. */
export async function askAgain(cluster: Cluster, say: Say): Promise<void> {
  const before = cluster.computed().length;
  for (const n of [N, 12]) {
    const { value, how } = await cluster.ask(n);
    say(`factorial(${n}) = ${value} (${how})`);
    ok(value === factorialOf(n), `factorial(${n}) is wrong`);
    ok(how.includes("from the cache"), `factorial(${n}) was not cached`);
  }
  const more = cluster.computed().length - before;
  say(`Multiplications done for that: ${more}.`);
  ok(more === 0, "something was computed again");
}

export async function printTree(cluster: Cluster, say: Say): Promise<void> {
  const id = `factorial-${N}`;
  const tree = new Program({
    entry: "packages/cli/src/main.ts",
    args: ["tree", id, "--server", cluster.url],
  });
  await tree.success();
  const lines = tree.lines.map(({ text }) => text);
  for (const line of lines.slice(0, TREE_LINES)) say(line);
  say(`… and ${lines.length - TREE_LINES} lines more, down to factorial-0`);
  ok(lines[0]?.startsWith(`${id} 🟢`), "the tree does not begin with a resolved root");
  ok(
    lines.some((line) => line.includes("factorial-0 🟢")),
    "the tree does not end at factorial-0",
  );
}

/** Four channels at once; with `crash`, one of them fails first. */
export async function fanOut(
  folder: string,
  { crash, say }: { crash: boolean; say: Say },
): Promise<void> {
  const order = crash ? "demo-2" : "demo-1";
  const flags = ["--data", folder, "--order", order, ...(crash ? ["--crash"] : [])];
  const entry = "apps/fan-out-notifications/src/main.ts";
  const app = new Program({ entry, args: flags, onLine: say });
  await app.success();
  const { text } = await app.line(/^Requests the providers got/);
  const push = crash ? "push 2 (1 failed)" : "push 1";
  ok(
    text.includes(`email 1, sms 1, slack 1, ${push}.`),
    "a channel was not called as often as it must be",
  );
  const times = /Wall time (\d+) ms; .* add up to (\d+) ms/.exec(
    (await app.line(/Wall time/)).text,
  );
  // With a crash the wall time holds the wait before push is tried again.
  const faster = Number(times?.[1]) < Number(times?.[2]);
  ok(crash || faster, "the channels were not notified at the same time");
}

/** The crawler's own site: a circle of links, a redirect, a link that leads nowhere. */
export async function crawlSite(folder: string, say: Say): Promise<void> {
  const entry = "apps/crawler/src/main.ts";
  const app = new Program({ entry, args: ["--data", folder, "--run", "demo"], onLine: say });
  await app.success();
  const urls = app.lines.flatMap(({ text }) => /^ {2}\d{3} .* (http\S+) {2}/.exec(text)?.[1] ?? []);
  ok(urls.length > 12, `only ${urls.length} pages were fetched`);
  ok(new Set(urls).size === urls.length, "a page was fetched twice");
}
