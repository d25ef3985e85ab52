/** One process of a lab: a client of the SDK that can be killed, stopped and started. */
import {
  type Clock,
  type Invoke,
  type Logger,
  Resonate,
  type ResonateOptions,
} from "@resonate-ts/sdk";
import { LabNetwork, type LabNetworkParts } from "./lab-network.ts";
import type { ProcessClock } from "./simulated-clock.ts";

/** Options of the SDK that a lab passes on to every process. */
export type ProcessOptions = Pick<
  ResonateOptions,
  "ttl" | "maxConcurrentTasks" | "warmExecutionsMax"
>;

export interface LabProcessParts extends Omit<LabNetworkParts, "clock" | "incarnation" | "kill"> {
  readonly clock: () => ProcessClock;
  /** Where its calls go that name no target. */
  readonly defaultTarget: string;
  readonly options: ProcessOptions;
  readonly logger: Logger;
  readonly invoke: Invoke;
  /** Forgets what the process was doing. */
  readonly forget: () => void;
  /** Registers functions and sets dependencies. */
  readonly equip: (resonate: Resonate, clock: Clock) => void;
}

/** A process of a lab. */
export class LabProcess {
  readonly name: string;
  readonly #parts: LabProcessParts;
  #run: { readonly resonate: Resonate; readonly network: LabNetwork; readonly clock: ProcessClock };
  #running = true;
  #runs = 0;

  constructor(parts: LabProcessParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#run = this.#begin();
  }

  /** The client that this process has; another one after every start. */
  get resonate(): Resonate {
    return this.#run.resonate;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Kills it: nothing that it sends arrives any more, its timers are gone, and it holds what it held. */
  crash(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#run.network.die();
    this.#run.clock.kill();
    this.#parts.forget();
  }

  /** Starts it again after it was killed or stopped, with nothing in its memory. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#run = this.#begin();
  }

  /** Stops it as a program does that ends: it gives back what it holds. Takes simulated time while something is lost. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    const { resonate, clock } = this.#run;
    await resonate.stop();
    clock.kill();
    this.#parts.forget();
  }

  #begin() {
    this.#runs += 1;
    const { name, group, defaultTarget, options, logger, invoke, equip } = this.#parts;
    const clock = this.#parts.clock();
    const incarnation = `${name}.${this.#runs}`;
    const kill = () => this.crash();
    const network = new LabNetwork({ ...this.#parts, clock, incarnation, kill });
    const own = { group, pid: name, defaultTarget, network, clock, logger, invoke };
    const resonate = new Resonate({ ...options, ...own });
    equip(resonate, clock);
    return { resonate, network, clock };
  }
}
