/** `resonate.tasks`: the right to run something, as it is on the server. For looking, and for getting it going again. */
import type { ResponseData, TaskRecord, TaskState } from "@resonate-ts/protocol";
import type { Network } from "../network/network.ts";
import { ask } from "./ask.ts";

/** Tasks of one page of a search, unless the caller says otherwise. */
const PAGE = 100;

export interface TaskSearch {
  /** Default any. */
  readonly state?: TaskState | undefined;
  /** Tasks per page, 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** Where the previous page ended. */
  readonly cursor?: string | undefined;
}

/**
 * A task has the id of its promise. Everything rejects with `ServerRefusedError` when the server says no (404: there is
 * no such task; 409: not in this state) and with `ServerUnreachableError` when it does not answer.
 */
export class Tasks {
  readonly #network: Network;

  constructor({ network }: { readonly network: Network }) {
    this.#network = network;
  }

  async get(id: string): Promise<TaskRecord> {
    return (await ask(this.#network, "task.get", { id })).task;
  }

  /** One page of tasks, by id. `cursor` is there when more follow. */
  search(search: TaskSearch = {}): Promise<ResponseData["task.search"]> {
    const { state, limit = PAGE, cursor } = search;
    return ask(this.#network, "task.search", { state, limit, cursor });
  }

  /** Takes it from whoever has it, and offers it to nobody until `continue`. */
  async halt(id: string): Promise<void> {
    await ask(this.#network, "task.halt", { id });
  }

  /** Offers a halted task again. */
  async continue(id: string): Promise<void> {
    await ask(this.#network, "task.continue", { id });
  }
}
