/**
 * The whole system under faults, repeated exactly by its seed: three to eight workers, messages and answers lost, late,
 * twice and overtaken, workers killed in the middle of their requests, the server stopped and started.
 */
import type { Request, TaskState } from "@resonate-ts/protocol";
import {
  type Exchange,
  type Faults,
  type Interruption,
  type Lab,
  openLab,
  type Random,
  seeded,
} from "@resonate-ts/testing";
import { insist, type Job, jobs, register } from "./workloads.ts";

/** What one run came to. */
export interface Run {
  /** All that happened, in order. */
  readonly log: readonly string[];
  /** Results that are not what the job has to come to. */
  readonly wrong: readonly string[];
  /** Tasks that are not done, by state, after everything has healed and come to rest. */
  readonly open: readonly string[];
  /** Functions that were entered after their outcome had been acknowledged. */
  readonly again: readonly string[];
  readonly crashes: number;
}

/** Most crashes of workers and restarts of the server in one run; after them it has to come to an end. */
const CRASHES_MAX = 12;
const RESTARTS_MAX = 2;
/** How often somebody looks for tasks that are halted, in ms: one that loses five processes in a row is, rightly. */
const OPERATOR_MS = 60_000;
/** Within this all has to be done, in simulated time. */
const WITHIN = "2h";

/** `ofEach`: how many jobs of each kind there are. */
export async function simulate(seed: number, ofEach = 1): Promise<Run> {
  const chaos = new Chaos(seed, ofEach);
  const lab = await chaos.open();
  try {
    chaos.scheduleRestarts();
    chaos.operate();
    const wrong = await Promise.all(chaos.jobs.map((job) => chaos.outcome(job)));
    chaos.heal();
    await lab.advance("5m");
    return {
      log: chaos.log,
      wrong: wrong.flat(),
      open: await openTasks(lab),
      again: lab.enteredAgain.map(({ id, name }) => `${id} (${name})`),
      crashes: chaos.crashes,
    };
  } finally {
    await lab.close({ abandon: true });
  }
}

class Chaos {
  readonly log: string[] = [];
  readonly jobs: readonly Job[];
  crashes = 0;
  readonly #seed: number;
  readonly #random: Random;
  readonly #crashProbability: number;
  readonly #restarts: number;
  #lab: Lab | undefined;
  #healed = false;

  constructor(seed: number, ofEach: number) {
    this.#seed = seed;
    this.#random = seeded(seed);
    this.jobs = jobs(this.#random, ofEach);
    this.#crashProbability = this.#random() * 0.08;
    this.#restarts = this.#upTo(RESTARTS_MAX);
  }

  async open(): Promise<Lab> {
    const lab = await openLab({
      seed: this.#seed,
      workers: 3 + this.#upTo(5),
      restartable: this.#restarts > 0,
      register,
      faults: this.#faults(),
      resonate: { warmExecutionsMax: this.#upTo(1) * 1_000 },
      ...(this.#upTo(3) === 0 && { extensions: [] }),
      tap: {
        arriving: (exchange) => this.#arriving(exchange),
        applied: ({ process, requests }, answers) => {
          const statuses = answers.map(({ head }) => head.status);
          this.#note(`${process} ${requests.map(shown).join(", ")} → ${statuses.join(", ")}`);
        },
        message: (process, { kind, data }) => {
          const about = "task" in data ? data.task.id : data.promise.id;
          this.#note(`${process} ← ${kind} ${about}`);
        },
      },
      onCall: ({ process, id, name }) => this.#note(`${process} calls ${name} ${id}`),
    });
    this.#lab = lab;
    return lab;
  }

  /** What is wrong with the result of a job; nothing mostly. */
  async outcome({ id, fn, args, expected, outside }: Job): Promise<readonly string[]> {
    const lab = this.#open();
    await lab.until(lab.delay(this.#upTo(3_000)));
    const handle = await this.#begin(id, fn, args);
    const helped = outside?.(lab, id);
    const result: unknown = await lab.until(handle.result(), { within: WITHIN });
    await helped;
    this.#note(`${id} is done`);
    const same = show(result) === show(expected);
    return same ? [] : [`${id} came to ${show(result)}, not to ${show(expected)}`];
  }

  scheduleRestarts(): void {
    const lab = this.#open();
    for (let left = this.#restarts; left > 0; left--) {
      lab.after(this.#upTo(20_000), () => {
        if (this.#healed || !lab.server.running) return;
        this.#note("the server stops");
        void lab.server.stop();
        lab.after(100 + this.#upTo(3_000), () => {
          this.#note("the server starts");
          void lab.server.start();
        });
      });
    }
  }

  /** Lets halted tasks go on, as the log asks for. */
  operate(): void {
    const lab = this.#open();
    lab.after(OPERATOR_MS, () => {
      this.operate();
      void this.#continueHalted(lab);
    });
  }

  /** From here on nothing goes wrong. */
  heal(): void {
    this.#healed = true;
    const lab = this.#open();
    lab.setFaults();
    for (const worker of lab.workers) worker.start();
  }

  #faults(): Faults {
    const least = this.#random() < 0.2 ? 0 : this.#random() * 0.15;
    const one = () => least * this.#random();
    return { drop: one(), delay: one(), duplicate: one(), reorder: one() };
  }

  #arriving({ process, requests }: Exchange): Interruption | undefined {
    const worker = this.#open().workers.find(({ name }) => name === process);
    const happens = this.#random() < this.#crashProbability;
    if (!worker || !happens || this.#healed || this.crashes >= CRASHES_MAX) return undefined;
    this.crashes += 1;
    const applied = this.#upTo(requests.length);
    this.#note(`${process} is killed; ${applied} of ${requests.map(shown).join(", ")} are applied`);
    this.#open().after(this.#upTo(8_000), () => worker.start());
    return { applied };
  }

  async #continueHalted(lab: Lab): Promise<void> {
    const halted = lab.server.running ? await lab.server.tasks("halted") : [];
    for (const id of halted) {
      this.#note(`${id} is continued`);
      // What is lost on the way is asked for again a minute later.
      lab.client.tasks.continue(id).catch(() => {});
    }
  }

  #begin(id: string, fn: string, args: readonly unknown[]) {
    const lab = this.#open();
    const begin = () => lab.client.beginRpc<unknown>(id, fn, ...args);
    return insist(() => lab.until(begin(), { within: WITHIN }));
  }

  #open(): Lab {
    if (!this.#lab) throw new Error("the lab is not open");
    return this.#lab;
  }

  #note(text: string): void {
    this.log.push(`${this.#lab?.now() ?? 0} ${text}`);
  }

  #upTo(n: number): number {
    return Math.floor(this.#random() * (n + 1));
  }
}

async function openTasks({ server }: Lab): Promise<readonly string[]> {
  const states: readonly TaskState[] = ["pending", "acquired", "suspended", "halted"];
  const found = await Promise.all(
    states.map(async (state) => (await server.tasks(state)).map((id) => `${id} is ${state}`)),
  );
  return found.flat();
}

function shown({ kind, data }: Request): string {
  if ("action" in data) return `${kind} ${data.action.kind} ${data.action.data.id}`;
  if ("id" in data) return `${kind} ${data.id}`;
  return "awaited" in data ? `${kind} ${data.awaited}` : kind;
}

function show(value: unknown): string {
  return typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
}
