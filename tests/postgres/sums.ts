/** Workflows that take steps at two groups, and what must be true of them in the end, whatever broke meanwhile. */
import { randomUUID } from "node:crypto";
import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";
import { expect } from "vitest";

/** Workflows under way at a time. */
const AT_ONCE = 50;

interface Sum {
  readonly sum: number;
  /** Made by the run of `twice` that counted. */
  readonly run: string;
}

/** A worker of `group`, which is "odd" (it runs `sum`) or "even" (it runs `twice`). */
export function worker(url: string, group: string): Resonate {
  const resonate = new Resonate({ url, group, logger: silentLogger });
  register(resonate);
  return resonate;
}

/** n, twice n by another group, and one: three steps, of which one is elsewhere. */
export function register(resonate: Resonate): void {
  resonate.register("sum", function* (ctx: Context, n: number) {
    const own: number = yield* ctx.run(() => n);
    const options = ctx.options({ target: "even" });
    const { double, run }: Twice = yield* ctx.rpc("twice", n, options);
    const sum: number = yield* ctx.run(() => own + double + 1);
    return { sum, run };
  });
  resonate.register("twice", (_: Context, n: number) => ({ double: 2 * n, run: randomUUID() }));
}

interface Twice {
  readonly double: number;
  readonly run: string;
}

/** Asks for sums, and keeps what was answered. */
export class Sums {
  readonly #client: Resonate;
  readonly #prefix: string;
  readonly #answers = new Map<number, Sum>();
  #asked = 0;

  constructor(client: Resonate, prefix = "w") {
    this.#client = client;
    this.#prefix = prefix;
  }

  get answered(): number {
    return this.#answers.size;
  }

  /** How many have been asked for. */
  get asked(): number {
    return this.#asked;
  }

  /** Resolves when all are answered, some at a time. */
  ask(count: number): Promise<void> {
    return this.askWhile((asked) => asked < count, Math.min(AT_ONCE, count));
  }

  /** One after the other in each of so many lanes, for as long as it says. */
  async askWhile(goOn: (asked: number) => boolean, lanes: number): Promise<void> {
    const options = this.#client.options({ target: "odd" });
    const lane = async () => {
      while (goOn(this.#asked)) {
        const n = this.#asked++;
        const id = `${this.#prefix}${n}`;
        this.#answers.set(n, await this.#client.rpc<Sum>(id, "sum", n, options));
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  /** Whether those are answered that were asked for before so many others. */
  answeredBefore(count: number): boolean {
    return Array.from({ length: count }, (_, n) => this.#answers.has(n)).every(Boolean);
  }

  /** That each is right, and is on record as it was answered: its child too, which settled once. */
  async check(count: number): Promise<void> {
    const sums = Array.from({ length: count }, (_, n) => this.#answers.get(n)?.sum);
    expect(sums).toEqual(sums.map((_, n) => n + 2 * n + 1));
    for (const [n, answer] of this.#answers) {
      const id = `${this.#prefix}${n}`;
      const [root, child] = [await this.#recorded(id), await this.#recorded(`${id}:1`)];
      expect({ id, root }).toEqual({ id, root: answer });
      expect({ id, child }).toEqual({ id, child: { double: 2 * n, run: answer.run } });
    }
  }

  async #recorded(id: string): Promise<unknown> {
    return (await this.#client.get(id)).result();
  }
}
