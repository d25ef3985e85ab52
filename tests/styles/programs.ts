/** Programs made by chance, said once, and run in either style. */
import type { Context, Durable, DurableFunction, Future } from "@resonate-ts/sdk";
import { Constant } from "@resonate-ts/sdk";
import fc from "fast-check";

/** One durable operation. */
export type Step =
  | { readonly kind: "run" | "rpc" | "fail" | "detached" | "flaky" | "shared"; readonly n: number }
  | { readonly kind: "sleep" | "promise"; readonly ms: number }
  | { readonly kind: "now" }
  | { readonly kind: "nested" | "other style" | "remote"; readonly program: Program };

/** Groups of operations: those of a group are started together, the groups follow each other. */
export interface Program {
  readonly groups: readonly (readonly Step[])[];
}

export const programs: fc.Arbitrary<Program> = fc.letrec<{ program: Program; step: Step }>(
  (tie) => ({
    program: fc.record({
      groups: fc.array(fc.array(tie("step"), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 3,
        depthIdentifier: "program",
      }),
    }),
    step: fc.oneof(
      { maxDepth: 2, depthIdentifier: "program" },
      fc.record({
        kind: fc.constantFrom("run", "rpc", "fail", "detached", "flaky", "shared"),
        n: fc.nat(9),
      }),
      fc.record({
        kind: fc.constantFrom("sleep", "promise"),
        ms: fc.integer({ min: 1, max: 90_000 }),
      }),
      fc.record({ kind: fc.constant("now") }),
      fc.record({
        kind: fc.constantFrom("nested", "other style", "remote"),
        program: tie("program"),
      }),
    ),
  }),
  // What is tied by name is typed by the caller.
).program as fc.Arbitrary<Program>;

/** How often a flaky step fails. */
const FAILURES = 2;
/**
 * It is tried again at once. Between attempts a process holds the task, and hears of what settles elsewhere only
 * afterwards; how much of that falls into the wait is a matter of turns of the event loop, and shows in instants.
 */
const RETRY_MS = 0;

/**
 * What a program comes to, said without any machinery. Instants and the ids of detached calls are not known, so they
 * are shown as such.
 */
export function meaning({ groups }: Program): unknown {
  return groups.map((group) => group.map(worth));
}

function worth(step: Step): unknown {
  switch (step.kind) {
    case "run":
    case "flaky":
      return step.n;
    case "rpc":
    case "shared":
      return step.n * 10;
    case "detached":
      return "an id";
    case "fail":
      return `failed ${step.n}`;
    case "sleep":
      return null;
    case "promise":
      return "timed out";
    case "now":
      return "an instant";
    case "nested":
    case "other style":
    case "remote":
      return meaning(step.program);
  }
}

function leaf(_ctx: Context, n: number): number {
  return n;
}

async function ten(_ctx: Context, n: number): Promise<number> {
  return n * 10;
}

function fail(_ctx: Context, n: number): never {
  throw new TypeError(`failed ${n}`);
}

async function flaky(ctx: Context, n: number): Promise<number> {
  if (ctx.info.attempt <= FAILURES) throw new Error("not yet");
  return n;
}

/** The functions that run programs. `program` is in one style, `other` in the other one. */
export function functionsOf(style: "generator" | "async"): Record<string, DurableFunction> {
  const [program, other] =
    style === "generator" ? [generator, asynchronous] : [asynchronous, generator];
  return { program, other, ten };
}

function start(ctx: Context, step: Step): Future<unknown> | { readonly id: string } {
  switch (step.kind) {
    case "run":
      return ctx.run(leaf, step.n);
    case "rpc":
      return ctx.rpc("ten", step.n);
    case "shared":
      return ctx.rpc("ten", step.n, ctx.options({ id: sharedId(ctx, step.n) }));
    case "detached":
      return { id: ctx.detached("ten", step.n).id };
    case "fail":
      return ctx.run(fail, step.n, ctx.options({ nonRetryableErrors: [TypeError] }));
    case "flaky":
      return ctx.run(
        flaky,
        step.n,
        ctx.options({ retryPolicy: new Constant({ delay: RETRY_MS }) }),
      );
    case "sleep":
      return ctx.sleep(step.ms);
    case "promise":
      return ctx.promise({ timeout: step.ms }).future;
    case "now":
      return ctx.date.now();
    case "nested":
      return ctx.run("program", step.program);
    case "other style":
      return ctx.run("other", step.program);
    case "remote":
      return ctx.rpc("program", step.program);
  }
}

/** Shared by the steps of one call: among several, who is the first to ask is a matter of turns of the event loop. */
function sharedId({ id }: Context, n: number): string {
  return `shared ${id.replaceAll(":", "/")} ${n}`;
}

function* generator(ctx: Context, { groups }: Program): Durable<unknown> {
  const results: unknown[] = [];
  for (const group of groups) {
    const started = group.map((step) => start(ctx, step));
    const values: unknown[] = [];
    for (const [i, one] of started.entries()) {
      try {
        values.push(shown(group[i], isFuture(one) ? yield* one : one.id));
      } catch (error) {
        values.push(shownError(error));
      }
    }
    results.push(values);
  }
  return results;
}

async function asynchronous(ctx: Context, { groups }: Program): Promise<unknown> {
  const results: unknown[] = [];
  for (const group of groups) {
    const started = group.map((step) => start(ctx, step));
    const values: unknown[] = [];
    for (const [i, one] of started.entries()) {
      try {
        values.push(shown(group[i], isFuture(one) ? await one : one.id));
      } catch (error) {
        values.push(shownError(error));
      }
    }
    results.push(values);
  }
  return results;
}

function isFuture(started: Future<unknown> | { readonly id: string }): started is Future<unknown> {
  return "then" in started;
}

function shown(step: Step | undefined, value: unknown): unknown {
  if (step?.kind === "detached") return typeof value === "string" ? "an id" : value;
  if (step?.kind === "now") return typeof value === "number" ? "an instant" : value;
  return value ?? null;
}

function shownError(error: unknown): string {
  if (!(error instanceof Error)) return "not an error";
  return error.name === "PromiseTimedoutError" ? "timed out" : error.message;
}
