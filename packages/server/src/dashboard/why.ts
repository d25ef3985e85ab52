/**
 * Why something does not move: from what is on record, and who is connected. Pure.
 *
 * What is suspended waits for what it awaits, and that for what it awaits, …: what is at the end of such a chain, and is
 * not suspended itself, is what can be said something of. Of a step that runs in its caller's process its caller's task
 * tells.
 */
import {
  type Address,
  delayOf,
  type ExecutionNode,
  isTimer,
  parseAddress,
  type Reason,
  TAG,
  type Why,
} from "@resonate-ts/protocol";
import { mayPause } from "../core/offer.ts";
import type { StoredTask } from "../core/records.ts";
import type { Present } from "../engine/census.ts";
import type { Outline } from "../stores/insight.ts";
import { nearest } from "./nearest.ts";
import { nodeOf } from "./node.ts";

/** A promise, and what its task waits for. */
export interface Case {
  readonly outline: Outline;
  readonly awaits: readonly string[];
}

export interface WhyFacts {
  readonly id: string;
  readonly at: number;
  /** The promise, and all that is reached from it, by id, as far as it was followed. */
  readonly cases: ReadonlyMap<string, Case>;
  readonly present: readonly Present[];
  /** How many tasks each process holds. */
  readonly held: ReadonlyMap<string, number>;
}

/** Most ends of chains that are explained one by one. */
const EXPLAINED_MAX = 10;
/** Most promises that one reason names. */
const NAMED_MAX = 100;

/** `undefined` when the promise is not among the cases. */
export function explain(facts: WhyFacts): Why | undefined {
  const { id, at, cases } = facts;
  const own = cases.get(id);
  if (!own) return undefined;
  const { ends, asked } = endsOf(facts, own);
  const found = ends.map((end) => reasonsFor(end, facts));
  const reasons = [...found.slice(0, EXPLAINED_MAX).flat(), ...chain(own, ends, asked)];
  return { id, at, verdict: verdictOf(reasons), reasons: inWeight(reasons) };
}

interface Ends {
  /** Cases at the end of chains: not suspended, or waiting for nothing. */
  readonly ends: readonly Case[];
  /** The case that was asked about: that of the caller's task, for a step. */
  readonly asked: Case;
}

function endsOf(facts: WhyFacts, own: Case): Ends {
  const asked = isStep(own, facts.at) ? (callerOf(own, facts) ?? own) : own;
  const seen = new Set([asked]);
  const ends: Case[] = [];
  for (const one of seen) {
    const next = isSuspended(one, facts.at)
      ? one.awaits.flatMap((id) => facts.cases.get(id) ?? [])
      : [];
    const open = next.map((each) =>
      isStep(each, facts.at) ? (callerOf(each, facts) ?? each) : each,
    );
    if (!isSuspended(one, facts.at)) ends.push(one);
    for (const each of open) seen.add(each);
  }
  return { ends, asked };
}

function isStep({ outline }: Case, at: number): boolean {
  return outline.tags[TAG.scope] === "local" && !isTimer(outline.tags) && !isOver(outline, at);
}

function callerOf({ outline }: Case, { cases }: WhyFacts): Case | undefined {
  const branch = outline.tags[TAG.branch];
  return branch === undefined || branch === outline.id ? undefined : cases.get(branch);
}

function isSuspended({ outline }: Case, at: number): boolean {
  return outline.task?.state === "suspended" && !isOver(outline, at);
}

function isOver({ state, timeoutAt }: Outline, at: number): boolean {
  return state !== "pending" || at >= timeoutAt;
}

/** What the chain is, where there is one. */
function chain(own: Case, ends: readonly Case[], asked: Case): readonly Reason[] {
  if (ends.length === 1 && ends[0] === own) return [];
  if (asked !== own && ends.length === 1 && ends[0] === asked) {
    const { id } = asked.outline;
    const text = `It is a step of '${id}', and runs in the process that has that.`;
    return [{ code: "awaits", text, ids: [id] }];
  }
  const last = ends.map(({ outline }) => outline.id);
  const ids = [...new Set([...last, ...asked.awaits])].slice(0, NAMED_MAX);
  if (asked.awaits.length === 0) {
    const text = "What it waited for has settled, and it is about to be offered to a worker again.";
    return [{ code: "offered", text }];
  }
  if (ends.length === 0) {
    const text = `It waits for ${named(asked.awaits)}, which ${asked.awaits.length === 1 ? "waits" : "wait"} in turn, in the end for each other.`;
    return [{ code: "awaits", text, ids }];
  }
  const direct = `It waits for ${named(asked.awaits)}`;
  const through = last.every((id) => asked.awaits.includes(id))
    ? "."
    : `, and ${asked.awaits.length === 1 ? "that" : "those"} in the end for ${named(last)}.`;
  return [{ code: "awaits", text: `${direct}${through}`, ids }];
}

function named(ids: readonly string[]): string {
  const [first = "nothing"] = ids;
  if (ids.length === 1) return `'${first}'`;
  return `'${first}' and ${ids.length - 1} more`;
}

/** Why one that is not suspended does not move. */
function reasonsFor(one: Case, facts: WhyFacts): readonly Reason[] {
  const node = nodeOf(one.outline, facts.at);
  const { task } = one.outline;
  const about = { ids: [node.id] };
  if (node.state !== "pending") {
    const text = `'${node.id}' is ${node.state}, since ${instant(node.settledAt ?? facts.at)}.`;
    return [{ code: "settled", text, ...about }];
  }
  if (node.kind === "sleep") {
    const until = node.timeoutAt;
    return [{ code: "sleeps", text: `'${node.id}' is a timer.`, until, ...about }];
  }
  if (!task) return [external(node)];
  switch (task.state) {
    case "pending":
      return [...pending(one, node, facts), ...failedBefore(task)];
    case "acquired":
      return [acquired(task, facts), ...failedBefore(task)];
    case "halted":
      return [halted(task)];
    case "suspended":
    case "fulfilled":
      return [];
  }
}

function external({ id, kind, timeoutAt }: ExecutionNode): Reason {
  const who =
    kind === "run"
      ? "is a step, and the task that it belongs to is not known"
      : "has no function: somebody has to settle it";
  const hint = kind === "run" ? "" : ` (resonate promises resolve '${id}')`;
  return { code: "external", text: `'${id}' ${who}${hint}.`, ids: [id], until: timeoutAt };
}

function halted({ id, cause }: StoredTask): Reason {
  const why = cause === undefined ? "" : ` Its worker said: ${cause}`;
  const text = `'${id}' was halted. Mend what is wrong, then: resonate retry '${id}'.${why}`;
  return { code: "halted", text, ids: [id] };
}

function failedBefore({ id, failures = 0, cause }: StoredTask): readonly Reason[] {
  if (failures === 0) return [];
  const times = failures === 1 ? "time" : "times";
  const why = cause === undefined ? "" : ` The last one said: ${cause}`;
  const text = `'${id}' was given up ${failures} ${times} in a row by workers that said nothing of a result.${why}`;
  return [{ code: "failed-before", text, ids: [id] }];
}

function acquired({ id, pid = "", dueAt }: StoredTask, { present }: WhyFacts): Reason {
  const until = dueAt === undefined ? {} : { until: dueAt };
  if (present.some((one) => one.id === pid)) {
    return { code: "running", text: `'${id}' is run by worker '${pid}'.`, ids: [id], ...until };
  }
  const text = `'${id}' is held by worker '${pid}', which has no stream open; when its lease ends it goes to another one.`;
  return { code: "lease", text, ids: [id], ...until };
}

/** Why a task that waits for a worker has none. */
function pending(one: Case, node: ExecutionNode, facts: WhyFacts): readonly Reason[] {
  const { outline } = one;
  const { id } = node;
  const delay = delayOf(outline.tags);
  const task = outline.task;
  const about = { ids: [id] };
  if (delay !== undefined && delay > facts.at) {
    return [
      { code: "delayed", text: `'${id}' is not to start before then.`, until: delay, ...about },
    ];
  }
  if (task?.dueAt !== undefined && mayPause(task, facts.at)) {
    const text = `'${id}' lost its workers again and again, and is offered later each time.`;
    return [{ code: "delayed", text, until: task.dueAt, ...about }];
  }
  const target = outline.tags[TAG.target] ?? "";
  const address = parseAddress(target);
  const until = task?.dueAt === undefined ? {} : { until: task.dueAt };
  switch (address?.kind) {
    case "push": {
      const text = `'${id}' is sent to ${target}, and nobody has taken it yet.`;
      return [{ code: "offered", text, ...until, ...about }];
    }
    case "poll":
      return [{ ...polled(node, address, facts), ...about }].map((reason) =>
        reason.code === "offered" ? { ...reason, ...until } : reason,
      );
    case "other":
    case undefined: {
      const text = `'${id}' is for ${target}, and this server delivers nothing there.`;
      return [{ code: "no-worker", text, ...about }];
    }
  }
}

type PollAddress = Extract<Address, { readonly kind: "poll" }>;

function polled(
  node: ExecutionNode,
  { cast, group, id: process }: PollAddress,
  { present, held }: WhyFacts,
): Omit<Reason, "ids"> {
  const { id } = node;
  const members = present.filter(
    (one) => one.group === group && (cast === "any" || one.id === process),
  );
  if (members.length === 0) {
    const where =
      cast === "any" ? `in group '${group}'` : `as '${process ?? ""}' in group '${group}'`;
    return { code: "no-worker", text: `No worker is connected ${where}. ${meant(group, present)}` };
  }
  const unable = unableFor(node, group, members);
  if (unable) return unable;
  const busy = members.every(
    ({ id: pid, slots }) => slots !== undefined && (held.get(pid) ?? 0) >= slots,
  );
  if (busy) {
    const text = `All workers of group '${group}' (${members.length}) have as much to do as they take at a time.`;
    return { code: "workers-busy", text };
  }
  const text = `'${id}' is offered to the workers of group '${group}' (${members.length}), and none has taken it yet.`;
  return { code: "offered", text };
}

/** Whether workers are there, and none of them can. Those that announced nothing may be able to do anything. */
function unableFor(
  { id, func, version = 1 }: ExecutionNode,
  group: string,
  members: readonly Present[],
): Omit<Reason, "ids"> | undefined {
  if (func === undefined || members.some(({ functions }) => functions === undefined)) {
    return undefined;
  }
  const known = members.flatMap(({ functions }) => [...(functions ?? [])]);
  const versions = new Set(known.flatMap(([name, of]) => (name === func ? [...of] : [])));
  if (versions.size === 0) {
    const near = nearest(
      func,
      known.map(([name]) => name),
    );
    const hint = near === undefined ? "" : ` Did you mean '${near}'?`;
    const text = `'${id}' calls '${func}', and no worker of group '${group}' has it.${hint}`;
    return { code: "no-such-function", text };
  }
  if (versions.has(version)) return undefined;
  const have = [...versions].sort((one, other) => one - other).join(", ");
  const text = `'${id}' is for version ${version} of '${func}'; workers of group '${group}' have ${have}.`;
  return { code: "no-such-version", text };
}

function meant(group: string, present: readonly Present[]): string {
  const near = nearest(group, new Set(present.map((one) => one.group)));
  return near === undefined ? "Start one." : `Did you mean '${near}'?`;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

/** The most telling first. */
const WEIGHT: Readonly<
  Record<Reason["code"], { readonly place: number; readonly says: Why["verdict"] }>
> = {
  halted: { place: 0, says: "stuck" },
  "no-worker": { place: 1, says: "stuck" },
  "no-such-function": { place: 2, says: "stuck" },
  "no-such-version": { place: 3, says: "stuck" },
  "workers-busy": { place: 4, says: "waiting" },
  delayed: { place: 5, says: "waiting" },
  lease: { place: 6, says: "waiting" },
  offered: { place: 7, says: "waiting" },
  external: { place: 8, says: "waiting" },
  sleeps: { place: 9, says: "waiting" },
  running: { place: 10, says: "running" },
  awaits: { place: 11, says: "waiting" },
  "failed-before": { place: 12, says: "waiting" },
  settled: { place: 13, says: "settled" },
};

function inWeight(reasons: readonly Reason[]): readonly Reason[] {
  return [...reasons].sort((one, other) => WEIGHT[one.code].place - WEIGHT[other.code].place);
}

/** One thing that somebody has to mend is enough to be stuck, and one that is run to be running. */
function verdictOf(reasons: readonly Reason[]): Why["verdict"] {
  const says = new Set(reasons.map(({ code }) => WEIGHT[code].says));
  const tangled = reasons.every(({ code }) => code === "awaits");
  if (says.has("stuck") || tangled) return "stuck";
  if (says.has("running")) return "running";
  return says.has("waiting") ? "waiting" : "settled";
}
