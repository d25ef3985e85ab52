/** `resonate.promises`: durable promises as they are on the server, one method per request. */
import {
  type PromiseRecord,
  type PromiseState,
  type RequestData,
  type ResponseData,
  type SettledState,
  TAG,
  type Tags,
  type TaskRecord,
  type Value,
} from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import type { Network } from "../network/network.ts";
import { ask } from "./ask.ts";
import { cancelTree } from "./cancel.ts";
import { readTree, type TreeNode } from "./tree.ts";

/** Promises of one page of a search, unless the caller says otherwise. */
const PAGE = 100;

/** A payload as it travels: `data` is what the caller has encoded (base64 of JSON, for other SDKs to read). */
export interface RawPayload {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly data?: string | undefined;
}

export interface RawCreate extends RawPayload {
  readonly tags?: Tags | undefined;
}

export interface PromiseSearch {
  /** Default any. */
  readonly state?: PromiseState | undefined;
  /** Only promises that have all of these. Default all promises. */
  readonly tags?: Tags | undefined;
  /** Promises per page, 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** Where the previous page ended. */
  readonly cursor?: string | undefined;
}

/** A promise with its payloads as values. */
export interface DecodedPromise extends Omit<PromiseRecord, "param" | "value"> {
  readonly param: unknown;
  /** `undefined` while it is pending. Of a rejected one, the error. */
  readonly value: unknown;
}

/**
 * Everything rejects with `ServerRefusedError` when the server says no (404: there is no such promise) and
 * with `ServerUnreachableError` when it does not answer.
 *
 * The methods named as in the protocol take and give payloads as they travel, unencoded. Those that end in
 * `Value`, and `find`, take and give values.
 */
export class Promises {
  readonly #network: Network;
  readonly #codec: Codec;

  constructor({ network, codec }: { readonly network: Network; readonly codec: Codec }) {
    this.#network = network;
    this.#codec = codec;
  }

  async get(id: string): Promise<PromiseRecord> {
    return (await this.#ask("promise.get", { id })).promise;
  }

  /**
   * The promise of this id, created if there is none; of an existing one nothing changes.
   *
   * @param timeoutAt Its deadline, in ms since the epoch.
   */
  async create(id: string, timeoutAt: number, given: RawCreate = {}): Promise<PromiseRecord> {
    return (await this.#ask("promise.create", creation(id, timeoutAt, given))).promise;
  }

  /**
   * Creates a promise with a target and claims its task in one step.
   *
   * @param pid Who claims it. @param ttl For how long, in ms.
   */
  async createWithTask(
    id: string,
    timeoutAt: number,
    pid: string,
    ttl: number,
    given: RawCreate = {},
  ): Promise<{ promise: PromiseRecord; task?: TaskRecord }> {
    const data = creation(id, timeoutAt, given);
    return this.#ask("task.create", {
      pid,
      ttl,
      action: { kind: "promise.create", head: {}, data },
    });
  }

  resolve(id: string, value: RawPayload = {}): Promise<PromiseRecord> {
    return this.#settle(id, "resolved", payload(value));
  }

  reject(id: string, value: RawPayload = {}): Promise<PromiseRecord> {
    return this.#settle(id, "rejected", payload(value));
  }

  cancel(id: string, value: RawPayload = {}): Promise<PromiseRecord> {
    return this.#settle(id, "rejected_canceled", payload(value));
  }

  /** Resumes the task `awaiter` when `awaited` settles. */
  registerCallback(awaited: string, awaiter: string): Promise<{ promise: PromiseRecord }> {
    return this.#ask("promise.register_callback", { awaited, awaiter });
  }

  /** Sends an `unblock` message to `address` when `awaited` settles; one that is settled is only returned. */
  registerListener(awaited: string, address: string): Promise<{ promise: PromiseRecord }> {
    return this.#ask("promise.register_listener", { awaited, address });
  }

  /** One page of promises, by id. `cursor` is there when more follow. */
  search(search: PromiseSearch = {}): Promise<ResponseData["promise.search"]> {
    const { state, tags = {}, limit = PAGE, cursor } = search;
    return this.#ask("promise.search", { state, tags, limit, cursor });
  }

  /** All promises that match, page by page, with their payloads decoded. */
  async *find(search: Omit<PromiseSearch, "cursor"> = {}): AsyncGenerator<DecodedPromise, void> {
    let cursor: string | undefined;
    do {
      const page = await this.search({ ...search, cursor });
      for (const promise of page.promises) yield await this.#decode(promise);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async getValue(id: string): Promise<DecodedPromise> {
    return this.#decode(await this.get(id));
  }

  /**
   * Creates a promise that workflows can await and anyone can settle.
   *
   * @param timeoutAt Its deadline, in ms since the epoch.
   */
  async createValue(
    id: string,
    timeoutAt: number,
    given: { readonly param?: unknown; readonly tags?: Tags | undefined } = {},
  ): Promise<DecodedPromise> {
    const param = await this.#codec.encode(given.param, id);
    const tags = { [TAG.scope]: "global", ...given.tags };
    const created = await this.#ask("promise.create", { id, timeoutAt, param, tags });
    return this.#decode(created.promise);
  }

  async resolveValue(id: string, value?: unknown): Promise<DecodedPromise> {
    const encoded = await this.#codec.encode(value, id);
    return this.#decode(await this.#settle(id, "resolved", encoded));
  }

  async rejectValue(id: string, error?: unknown): Promise<DecodedPromise> {
    const encoded = await this.#codec.encode(error, id);
    return this.#decode(await this.#settle(id, "rejected", encoded));
  }

  /**
   * Cancels a promise and everything pending that was started for it, except what lives on its own: children with an
   * id of their own, and detached calls. Whoever runs what is canceled is told, and its `ctx.signal` fires. Safe to call
   * again; what has settled stays as it is. Gives the promise as it is then.
   */
  cancelTree(id: string): Promise<PromiseRecord> {
    return cancelTree(id, {
      cancel: (promise) => this.cancel(promise),
      search: (search) => this.search(search),
    });
  }

  /** A promise and everything that was started for it. Reads at most 10,000 promises; see `TreeNode.truncated`. */
  tree(id: string): Promise<TreeNode> {
    return readTree(id, {
      get: (promise) => this.get(promise),
      search: (search) => this.search(search),
      decode: (value) => this.#codec.decode(value),
    });
  }

  async #settle(id: string, state: SettledState, value: Value): Promise<PromiseRecord> {
    return (await this.#ask("promise.settle", { id, state, value })).promise;
  }

  async #decode(promise: PromiseRecord): Promise<DecodedPromise> {
    const { param, value } = promise;
    return {
      ...promise,
      param: await this.#codec.decode(param),
      value: await this.#codec.decode(value),
    };
  }

  #ask<K extends "task.create" | Extract<keyof RequestData, `promise.${string}`>>(
    kind: K,
    data: RequestData[K],
  ): Promise<ResponseData[K]> {
    return ask(this.#network, kind, data);
  }
}

function creation(id: string, timeoutAt: number, { tags = {}, ...param }: RawCreate) {
  return { id, timeoutAt, param: payload(param), tags };
}

function payload({ headers, data }: RawPayload): Value {
  return { ...(headers && { headers }), ...(data !== undefined && { data }) };
}
