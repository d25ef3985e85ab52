/** Crashes a workflow's worker at each of its durable points, and compares. */
import { inspect, isDeepStrictEqual } from "node:util";
import type { Request } from "@resonate-ts/protocol";
import type { DurableFunction } from "@resonate-ts/sdk";
import type { Call } from "./calls.ts";
import type { Duration } from "./durations.ts";
import { type Lab, type LabOptions, openLab } from "./lab.ts";
import type { Exchange, Tap } from "./lab-network.ts";

/** How a workflow is crashed. */
export interface CrashOptions
  extends Pick<LabOptions, "workers" | "group" | "seed" | "extensions" | "resonate" | "startAt"> {
  /** Its arguments. */
  readonly args?: readonly unknown[];
  /** The other functions that workers need, by name; or what registers all of them, the workflow too, and dependencies. */
  readonly register?: LabOptions["register"];
  /** Called before every run, with its lab: for mocks, and to put back what functions keep outside. */
  readonly before?: (lab: Lab) => void;
  /** What others do while the workflow runs, such as settling a promise it waits for; safe to do after a crash too. */
  readonly outside?: (lab: Lab) => Promise<void>;
  /** How long after a crash the worker is there again. Default 0. */
  readonly restartAfter?: Duration;
}

/** What was tried. */
export interface CrashReport {
  /** What the workflow came to, every time. */
  readonly outcome: Outcome;
  /** The requests of the run without a crash, in order: a crash was tried before and after each. */
  readonly points: readonly string[];
  /** How often the workflow was run. */
  readonly runs: number;
}

/** Most failures that are described. */
const SHOWN_MAX = 10;

/**
 * Runs a workflow once, and then once more for every request that its workers sent: with a crash of the worker before
 * the request leaves, and with one after the server has applied it and before the answer arrives.
 *
 * @throws Error that names point and difference, when after a crash the result was another one, a step whose outcome
 *   the server had acknowledged was entered again, or a step was entered more than twice as often as without a crash.
 */
export async function crashAtEveryStep(
  workflow: DurableFunction,
  options: CrashOptions = {},
): Promise<CrashReport> {
  const expected = await run(workflow, options, undefined);
  const { points } = expected;
  const failures: string[] = [];
  for (const [index, point] of points.entries()) {
    for (const when of ["before", "after"] as const) {
      const seen = await run(workflow, options, { index, when });
      const where = `crash ${when} request ${index + 1} of ${points.length}, ${point}`;
      for (const what of differences(expected, seen)) failures.push(`${where}: ${what}`);
    }
  }
  if (failures.length > 0) throw new Error(describe(workflow, failures));
  return { outcome: expected.outcome, points, runs: 1 + 2 * points.length };
}

interface Crash {
  readonly index: number;
  readonly when: "before" | "after";
}

interface Seen {
  readonly outcome: Outcome;
  /** What workers sent, in order. */
  readonly points: readonly string[];
  /** How often the steps that start nothing durable were entered, by id. */
  readonly steps: ReadonlyMap<string, number>;
  /** Calls of what had been acknowledged. */
  readonly again: readonly Call[];
}

/** How a workflow ended. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  /** The error as text: name and message. */
  | { readonly kind: "error"; readonly error: string };

async function run(
  workflow: DurableFunction,
  options: CrashOptions,
  crash: Crash | undefined,
): Promise<Seen> {
  const watch = new Watch(crash);
  const { args = [], register = {}, before, outside, restartAfter = 0, ...lab } = options;
  const opened = await openLab({
    ...lab,
    register:
      typeof register === "function" ? register : { [workflow.name]: workflow, ...register },
    tap: watch.tap,
    onCall: (call) => watch.called(call),
  });
  watch.crashed = (name) => {
    const worker = opened.workers.find((one) => one.name === name);
    opened.after(restartAfter, () => worker?.start());
  };
  try {
    before?.(opened);
    const handle = await opened.until(opened.client.beginRpc("w", workflow, ...args));
    await outside?.(opened);
    const outcome = await outcomeOf(opened.until(handle.result()));
    return { outcome, points: watch.points, steps: watch.steps(), again: opened.enteredAgain };
  } finally {
    await opened.close({ abandon: true });
  }
}

/** Watches one run, and crashes it. */
class Watch {
  readonly points: string[] = [];
  readonly tap: Tap = {
    arriving: (exchange) => this.#arriving(exchange),
  };
  crashed: (process: string) => void = () => {};
  readonly #crash: Crash | undefined;
  readonly #calls: Call[] = [];

  constructor(crash: Crash | undefined) {
    this.#crash = crash;
  }

  called(call: Call): void {
    this.#calls.push(call);
  }

  /** How often each function was entered that started nothing durable. */
  steps(): ReadonlyMap<string, number> {
    const workflows = new Set(this.#calls.filter(({ started }) => started > 0).map(({ id }) => id));
    const steps = new Map<string, number>();
    for (const { id } of this.#calls) {
      if (!workflows.has(id)) steps.set(id, (steps.get(id) ?? 0) + 1);
    }
    return steps;
  }

  #arriving({ process, requests }: Exchange): { applied: number } | undefined {
    if (process === "client") return undefined;
    const first = this.points.length;
    this.points.push(...requests.map(pointOf));
    const { index = -1, when } = this.#crash ?? {};
    if (index < first || index >= this.points.length) return undefined;
    this.crashed(process);
    return { applied: index - first + (when === "after" ? 1 : 0) };
  }
}

function pointOf({ kind, data }: Request): string {
  const inner = "action" in data ? [data.action.kind, data.action.data.id] : [];
  const id = "id" in data && kind !== "task.fence" ? [data.id] : [];
  return [kind, ...inner, ...(inner.length > 0 ? [] : id)].join(" ");
}

async function outcomeOf(result: Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: "value", value: await result };
  } catch (error) {
    return { kind: "error", error: String(error) };
  }
}

function* differences(expected: Seen, seen: Seen): Generator<string> {
  if (!isDeepStrictEqual(expected.outcome, seen.outcome)) {
    yield `it came to ${show(seen.outcome)}, not to ${show(expected.outcome)}`;
  }
  for (const { id, name } of seen.again)
    yield `'${id}' (${name}) was entered after its outcome was acknowledged`;
  for (const [id, count] of seen.steps) {
    const most = 2 * (expected.steps.get(id) ?? 0);
    if (count > most) yield `'${id}' was entered ${count} times, at most ${most} are expected`;
  }
}

function show(outcome: Outcome): string {
  if (outcome.kind === "error") return `the error ${outcome.error}`;
  return inspect(outcome.value, { breakLength: Number.POSITIVE_INFINITY });
}

function describe({ name }: DurableFunction, failures: readonly string[]): string {
  const shown = failures.slice(0, SHOWN_MAX).map((one) => `- ${one}`);
  const more = failures.length - shown.length;
  if (more > 0) shown.push(`- and ${more} more`);
  return `'${name}' is not the same after a crash:\n${shown.join("\n")}`;
}
