/** `resonate.schedules`: schedules as they are on the server, one method per request. */
import type { ResponseData, ScheduleRecord, Tags } from "@resonate-ts/protocol";
import type { Network } from "../network/network.ts";
import { ask } from "./ask.ts";

/** Schedules of one page of a search, unless the caller says otherwise. */
const PAGE = 10;

/** What each promise of a schedule is created with. */
export interface ScheduledPromise {
  readonly promiseHeaders?: Readonly<Record<string, string>> | undefined;
  /** As it travels: what the caller has encoded. */
  readonly promiseData?: string | undefined;
  /** The server asks for `resonate:target`: who runs it. */
  readonly promiseTags?: Tags | undefined;
}

export interface ScheduleSearch {
  /** Only schedules whose promises have all of these tags. Default all. */
  readonly tags?: Tags | undefined;
  /** Schedules per page, 1 to 1,000. Default 10. */
  readonly limit?: number | undefined;
  /** Where the previous page ended. */
  readonly cursor?: string | undefined;
}

/**
 * Everything rejects with `ServerRefusedError` when the server says no (404: there is no such schedule) and
 * with `ServerUnreachableError` when it does not answer.
 */
export class Schedules {
  readonly #network: Network;

  constructor({ network }: { readonly network: Network }) {
    this.#network = network;
  }

  async get(id: string): Promise<ScheduleRecord> {
    return (await ask(this.#network, "schedule.get", { id })).schedule;
  }

  /**
   * The schedule of this id, created if there is none; of an existing one nothing changes.
   *
   * @param cron When it fires: five fields, or six with seconds first.
   * @param promiseId Template of the ids of its promises, with `{{.id}}` and `{{.timestamp}}`.
   * @param promiseTimeout Deadline of each promise, in ms after it was due.
   */
  async create(
    id: string,
    cron: string,
    promiseId: string,
    promiseTimeout: number,
    { promiseHeaders, promiseData, promiseTags = {} }: ScheduledPromise = {},
  ): Promise<ScheduleRecord> {
    const promiseParam = {
      ...(promiseHeaders && { headers: promiseHeaders }),
      ...(promiseData !== undefined && { data: promiseData }),
    };
    const data = { id, cron, promiseId, promiseTimeout, promiseParam, promiseTags };
    return (await ask(this.#network, "schedule.create", data)).schedule;
  }

  /** Fires no more. The promises that it created stay. */
  async delete(id: string): Promise<void> {
    await ask(this.#network, "schedule.delete", { id });
  }

  /** One page of schedules, by id. `cursor` is there when more follow. */
  search(search: ScheduleSearch = {}): Promise<ResponseData["schedule.search"]> {
    const { tags = {}, limit = PAGE, cursor } = search;
    return ask(this.#network, "schedule.search", { tags, limit, cursor });
  }
}
