/** Which outcomes processes know to be on record, and which functions were entered all the same. */
import { isRefusal, type Refusal, type Request, type Response } from "@resonate-ts/protocol";
import type { Call } from "./calls.ts";
import type { Exchange } from "./lab-network.ts";

export class Acknowledgements {
  readonly #settled = new Set<string>();
  readonly #again: Call[] = [];

  /** Calls of functions whose outcome had been acknowledged: there must be none, whatever went wrong. */
  get again(): readonly Call[] {
    return this.#again;
  }

  called(call: Call): void {
    if (this.#settled.has(call.id)) this.#again.push(call);
  }

  /** Answers have reached the process that asked. */
  answered({ requests }: Exchange, answers: readonly (Response | Refusal)[]): void {
    for (const [i, request] of requests.entries()) {
      const answer = answers[i];
      const settled = settledBy(request);
      if (settled !== undefined && answer && succeeded(answer)) this.#settled.add(settled);
    }
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
