/**
 * `ctx.map`: one call per item, a bounded number of them at a time, the next one as soon as one has settled.
 *
 * I1. The calls start in the order of the items, and the place of every item is reserved beforehand: its id does not
 *     depend on what settles when.
 * I2. After a failure that counts no further item is started, and those under way are waited for. Then the failed item
 *     with the lowest place is the same in every replay, whatever else had been started: no record is needed.
 */
import type { DurableFunction, MapOptions } from "../context.ts";
import { ResonateError } from "../errors.ts";
import { cellOf, Future, type Settled } from "../future.ts";
import { resultOf } from "./combine.ts";
import { CombinedCell } from "./combined-cell.ts";
import type { Host } from "./host.ts";
import type { Start, Starter } from "./starter.ts";

/** How many items are under way at a time when nobody says otherwise. */
const CONCURRENCY_DEFAULT = 100;

/** The call that maps. */
export interface Mapping {
  readonly host: Host;
  readonly starter: Starter;
  /** What to start to call `fn` as `ctx.run` or `ctx.rpc` does. */
  readonly call: (via: "run" | "rpc", fn: DurableFunction | string, given: unknown[]) => Start;
}

/** @throws ResonateError `ARGUMENT_INVALID`, naming the option. */
export function map(
  mapping: Mapping,
  fn: DurableFunction | string,
  given: { readonly items: Iterable<unknown>; readonly options: MapOptions<unknown> },
): Future<never> {
  check(given.options);
  return new Future(new Window(mapping, fn, { ...given, items: [...given.items] }).cell);
}

class Window {
  readonly cell: CombinedCell;
  readonly #mapping: Mapping;
  readonly #fn: DurableFunction | string;
  readonly #items: readonly unknown[];
  readonly #options: MapOptions<unknown>;
  readonly #seq: number;
  readonly #outcomes: Settled[] = [];
  #next = 0;
  #underWay = 0;
  #failed = false;
  #filling = false;

  constructor(
    mapping: Mapping,
    fn: DurableFunction | string,
    given: { readonly items: readonly unknown[]; readonly options: MapOptions<unknown> },
  ) {
    const { host, starter } = mapping;
    this.#mapping = mapping;
    this.#fn = fn;
    this.#items = given.items;
    this.#options = given.options;
    this.#seq = starter.reserve(given.items.length + 1);
    const begin = () => this.#fill();
    this.cell = new CombinedCell(starter.idAt(this.#seq), { host, joined: true, begin });
    starter.ledger.add(this.cell);
    this.cell.begin();
  }

  /** Not recursive: in a replay the items settle while they are started. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    const { concurrency = CONCURRENCY_DEFAULT } = this.#options;
    while (this.#more() && this.#underWay < concurrency) this.#start(this.#next++);
    this.#filling = false;
    if (this.#underWay === 0 && !this.#more()) this.cell.settle(this.#end());
  }

  #more(): boolean {
    return !this.#failed && this.#next < this.#items.length;
  }

  #start(at: number): void {
    this.#underWay += 1;
    const item = this.#items[at];
    const { via = "run", options } = this.#options;
    try {
      const given = typeof options === "function" ? options(item, at) : options;
      const { call, starter } = this.#mapping;
      const future = starter.start(() => ({
        ...call(via, this.#fn, given ? [item, given] : [item]),
        seq: this.#seq + 1 + at,
      }));
      this.cell.watch(cellOf(future), (outcome) => this.#settled(at, outcome));
    } catch (error) {
      this.#settled(at, { kind: "rejected", error });
    }
  }

  #settled(at: number, outcome: Settled): void {
    this.#outcomes[at] = outcome;
    this.#underWay -= 1;
    const { onError = "throw" } = this.#options;
    if (outcome.kind === "rejected" && onError === "throw") this.#failed = true;
    this.#fill();
  }

  #end(): Settled {
    const { onError = "throw" } = this.#options;
    if (onError === "collect") return { kind: "resolved", value: this.#outcomes.map(resultOf) };
    const failure = this.#outcomes.find(({ kind }) => kind === "rejected");
    const values = this.#outcomes.map((outcome) =>
      outcome.kind === "resolved" ? outcome.value : undefined,
    );
    return failure ?? { kind: "resolved", value: values };
  }
}

function check({ concurrency = 1, onError = "throw", via = "run" }: MapOptions<unknown>): void {
  const problem =
    (!(concurrency >= 1) && "'concurrency' must be a number of at least 1") ||
    (!["throw", "collect"].includes(onError) && "'onError' must be 'throw' or 'collect'") ||
    (!["run", "rpc"].includes(via) && "'via' must be 'run' or 'rpc'");
  if (problem) throw new ResonateError("ARGUMENT_INVALID", `ctx.map: ${problem}.`);
}
