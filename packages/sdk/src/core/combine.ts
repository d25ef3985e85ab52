/**
 * `all`, `allSettled`, `race` and `any`, once for both styles.
 *
 * I1. Which part decides depends on which settles first, and a replay finds several settled at once. So what the order
 *     decides is recorded as a step of its own before anybody hears of it: `race` and `any` record the winner, `all`
 *     the part whose error it throws. What the order does not decide (all values, all outcomes, no value at all)
 *     costs no record.
 * I2. The place of that step is reserved when the combinator is called, so that ids do not depend on what settles
 *     when.
 */
import type { CombineOptions } from "../context.ts";
import { NonDeterminismError, ResonateError } from "../errors.ts";
import { Begun, Cell, cellOf, Future, type Settled } from "../future.ts";
import { CombinedCell } from "./combined-cell.ts";
import type { Host } from "./host.ts";
import { goOn, type Starter } from "./starter.ts";

/** The call that combines. */
export interface Combining {
  readonly host: Host;
  readonly starter: Starter;
  /** Records how a step that ran here ended; its cell goes on with what is on record. */
  readonly record: (cell: Cell, id: string, outcome: Settled) => void;
}

interface Rule {
  /** What the decision is recorded as. */
  readonly name: string;
  /** Whether the first outcome of this kind is the outcome of the whole. */
  readonly decides: (outcome: Settled) => boolean;
  /** The outcome of the whole when no part decided. */
  readonly end: (outcomes: readonly Settled[]) => Settled;
}

export const RULES = {
  all: {
    name: "ctx.all",
    decides: ({ kind }) => kind === "rejected",
    end: (outcomes) => ({ kind: "resolved", value: outcomes.flatMap(valuesOf) }),
  },
  allSettled: {
    name: "ctx.allSettled",
    decides: () => false,
    end: (outcomes) => ({ kind: "resolved", value: outcomes.map(resultOf) }),
  },
  race: {
    name: "ctx.race",
    decides: () => true,
    end: () => ({
      kind: "rejected",
      error: new ResonateError("ARGUMENT_INVALID", "ctx.race of nothing would wait for ever."),
    }),
  },
  any: {
    name: "ctx.any",
    decides: ({ kind }) => kind === "resolved",
    end: (outcomes) => ({
      kind: "rejected",
      error: new AggregateError(
        outcomes.flatMap(errorsOf),
        "Nothing that ctx.any waited for succeeded.",
      ),
    }),
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** How a combinator is asked for. */
interface Asked {
  readonly parts: Iterable<unknown>;
  readonly options: CombineOptions | undefined;
}

/** @throws ResonateError `ARGUMENT_INVALID` when a part is a promise that is not durable. */
export function combine(
  call: Combining,
  rule: Rule,
  { parts: given, options }: Asked,
): Future<never> {
  const parts = Array.from(given, (part) => cellOfPart(part, rule.name));
  const seq = call.starter.reserve(1);
  const cell: CombinedCell = new CombinedCell(call.starter.idAt(seq), {
    host: call.host,
    joined: false,
    begin: () => follow(call, rule, { cell, parts, seq, cancelLosers: options?.cancelLosers }),
  });
  call.starter.ledger.add(cell);
  return new Future(cell);
}

interface Combination {
  readonly cell: CombinedCell;
  readonly parts: readonly Cell[];
  readonly seq: number;
  readonly cancelLosers: boolean | undefined;
}

function follow(call: Combining, rule: Rule, combination: Combination): void {
  const { cell, parts } = combination;
  const outcomes: Settled[] = [];
  let left = parts.length;
  let decided = false;
  const ended = () => {
    if (left === 0 && !decided) cell.settle(rule.end(outcomes));
  };
  parts.forEach((part, at) => {
    cell.watch(part, (outcome) => {
      if (decided) return;
      outcomes[at] = outcome;
      left -= 1;
      decided = rule.decides(outcome);
      if (decided) decide(call, rule, combination, at);
      else ended();
    });
  });
  ended();
}

/** Records that the part `at` decides, or recalls which one did; the whole ends as that part. */
function decide(call: Combining, rule: Rule, combination: Combination, at: number): void {
  const { cell, parts, seq, cancelLosers } = combination;
  const { host, starter, record } = call;
  const choice = starter.start(() => ({
    operation: { kind: "run", func: rule.name, version: 1 },
    options: {},
    seq,
    perform: (step, { id }) => record(step, id, { kind: "resolved", value: at }),
  }));
  cell.watch(cellOf(choice), (recorded) => {
    const chosen = recorded.kind === "resolved" ? parts[Number(recorded.value)] : undefined;
    if (recorded.kind === "rejected") cell.settle(recorded);
    else if (chosen) {
      cell.watch(chosen, (outcome) => {
        const end = () => cell.settle(outcome);
        if (cancelLosers) cell.watch(canceling(host, losers(parts)), end);
        else end();
      });
    } else host.fault(otherParts(choice.id, rule.name, { recorded: recorded.value, parts }));
  });
}

/** Those that belong to this execution alone; others may wait for what has an id of its own, or lives on. */
function losers(parts: readonly Cell[]): readonly Cell[] {
  return parts.flatMap((part) => {
    if (part.phase === "settled") return [];
    if (part instanceof CombinedCell) return losers(part.pending);
    return part.cancelable ? [part] : [];
  });
}

/** Cancels, and lets each cell go on with what is on record of it. A replay that finds them pending does it again. */
function canceling(host: Host, cells: readonly Cell[]): Cell {
  const done = new Cell("canceling");
  let left = cells.length;
  const one = () => {
    left -= 1;
    if (left === 0) done.settle({ kind: "resolved", value: undefined });
  };
  for (const cell of cells) {
    const ended = host.cancel(cell.id).then((promise) => host.journal.outcomeOf(promise));
    goOn(host, ended, (outcome) => {
      if (outcome) cell.settle(outcome);
      one();
    });
  }
  if (cells.length === 0) done.settle({ kind: "resolved", value: undefined });
  return done;
}

/** What a program may hand to a combinator: what ctx gave it, or a value that is there. */
function cellOfPart(part: unknown, name: string): Cell {
  if (part instanceof Begun) return cellOf(part.future);
  if (part instanceof Future) return cellOf(part);
  if (typeof part === "object" && part !== null && "then" in part) {
    throw new ResonateError(
      "ARGUMENT_INVALID",
      `${name} takes what ctx gives, such as ctx.run(…), and values, but not other promises: how they end is not on record, so a replay could go another way. Put the work into a function and ctx.run it.`,
    );
  }
  const cell = new Cell("value");
  cell.settle({ kind: "resolved", value: part });
  return cell;
}

function otherParts(
  promiseId: string,
  name: string,
  { recorded, parts }: { readonly recorded: unknown; readonly parts: readonly Cell[] },
): NonDeterminismError {
  return new NonDeterminismError({
    promiseId,
    recorded: `${name} decided by its part ${Number(recorded) + 1}`,
    asked: `${name} of ${parts.length}`,
  });
}

function valuesOf(outcome: Settled): unknown[] {
  return outcome.kind === "resolved" ? [outcome.value] : [];
}

function errorsOf(outcome: Settled): unknown[] {
  return outcome.kind === "rejected" ? [outcome.error] : [];
}

/** An outcome as `Promise.allSettled` shows it. */
export function resultOf(outcome: Settled): PromiseSettledResult<unknown> {
  return outcome.kind === "resolved"
    ? { status: "fulfilled", value: outcome.value }
    : { status: "rejected", reason: outcome.error };
}
