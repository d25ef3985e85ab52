/** Which outcomes processes know to be on record, and which functions were entered all the same. */
import { isRefusal, type Refusal, type Request, type Response } from "@resonate-ts/protocol";
import type { Call } from "./calls.ts";
import type { Exchange } from "./lab-network.ts";

export class Acknowledgements {
  /** The processes that know, by the promise; those that were killed know nothing. */
  readonly #known = new Map<string, Set<string>>();
  readonly #again: Call[] = [];
  readonly #holder: (task: string) => Promise<string | undefined>;

  /** `holder` tells which process holds a task. */
  constructor(holder: (task: string) => Promise<string | undefined>) {
    this.#holder = holder;
  }

  /**
   * Calls of functions whose outcome had been acknowledged: by the process that knew of it, or under the claim. A
   * process that has lost its claim and has not heard of it does not count: nothing can keep it from calling.
   */
  get again(): readonly Call[] {
    return this.#again;
  }

  called(call: Call): void {
    const known = this.#known.get(call.id);
    if (!known) return;
    if (known.has(call.process)) this.#again.push(call);
    else void this.#judge(call);
  }

  /** A process has been killed. */
  forget(process: string): void {
    for (const known of this.#known.values()) known.delete(process);
  }

  /** Answers have reached the process that asked. */
  answered({ process, requests }: Exchange, answers: readonly (Response | Refusal)[]): void {
    for (const [i, request] of requests.entries()) {
      const answer = answers[i];
      const settled = settledBy(request);
      if (settled === undefined || !answer || !succeeded(answer)) continue;
      this.#known.set(settled, (this.#known.get(settled) ?? new Set()).add(process));
    }
  }

  async #judge(call: Call): Promise<void> {
    if ((await this.#holder(call.branchId)) === call.process) this.#again.push(call);
  }
}

/** The promise that a request settles. */
function settledBy({ kind, data }: Request): string | undefined {
  if (kind === "promise.settle" && "id" in data) return data.id;
  const settles = "action" in data && data.action.kind === "promise.settle";
  return settles ? data.action.data.id : undefined;
}

/** Whether a request did what it asked for, the action inside it included. */
function succeeded(answer: Response | Refusal): boolean {
  if (isRefusal(answer)) return false;
  const { data } = answer;
  return !("action" in data) || !isRefusal(data.action);
}
