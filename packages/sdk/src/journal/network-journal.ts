/**
 * The journal over a network.
 *
 * I1. Every write is fenced by the claim: what a process that has lost it sends is refused by the server.
 * I2. Writes are sent in the order of the calls, in the same turn where nothing has to be waited for, so that
 *     they can travel together.
 * I3. Between `suspend` and `reopen` there is no claim: writes wait, in order, and nothing is sent.
 * I4. What a program is fed is what the server says is on record, never what was asked for.
 */
import {
  isRefusal,
  type PromiseRecord,
  type Refusal,
  type Request,
  type RequestData,
  type RequestHead,
  type RequestKind,
  type Response,
  type SettledState,
  type Value,
} from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { isResonateError, LeaseLostError, ResonateError, ServerRefusedError } from "../errors.ts";
import type { Settled } from "../future.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import type { CreateRequest, Journal, Recorded } from "./journal.ts";
import { outcomeOf, readRecord } from "./outcome.ts";

/** Most promises named in one suspend; what is more is registered before, 500 requests in flight at most. */
export const SUSPEND_ACTIONS_MAX = 500;
/** Most promises named in a suspend whose first answer was lost: as many as surely fit into one request. */
const SUSPEND_AGAIN_MAX = 2_000;

type FencedAction = RequestData["task.fence"]["action"];

export class NetworkJournal implements Journal {
  readonly #network: Network;
  readonly #codec: Codec;
  readonly #id: string;
  #version: number;
  /** Records that the claim brought along and that have not been asked for yet. */
  readonly #known: Map<string, PromiseRecord>;
  /** The end of the queue of writes that wait; absent when a write can be sent at once. */
  #queue: Promise<void> | undefined;
  /** Lets the writes go that were asked for while there was no claim. */
  #open: (() => void) | undefined;

  constructor(parts: {
    readonly network: Network;
    readonly codec: Codec;
    readonly task: { readonly id: string; readonly version: number };
    readonly preload: readonly PromiseRecord[];
  }) {
    this.#network = parts.network;
    this.#codec = parts.codec;
    this.#id = parts.task.id;
    this.#version = parts.task.version;
    this.#known = new Map(parts.preload.map((promise) => [promise.id, promise]));
  }

  create({ id, timeoutAt, tags, data, headers }: CreateRequest): Recorded | Promise<Recorded> {
    const known = this.#known.get(id);
    if (known) {
      this.#known.delete(id);
      return readRecord(known, this.#codec);
    }
    let param: Value | undefined;
    return this.#write(
      () => this.#codec.encode(data, id),
      (encoded) => {
        param = headers ? { ...encoded, headers: { ...encoded.headers, ...headers } } : encoded;
        return { kind: "promise.create", data: { id, timeoutAt, tags, param } };
      },
    ).then((promise) => readRecord(promise, this.#codec, param));
  }

  async settle(id: string, outcome: Settled): Promise<Settled> {
    const promise = await this.#write(
      () => this.#encode(id, outcome),
      (end) => ({ kind: "promise.settle", data: { id, ...end } }),
    );
    const settled = await outcomeOf(promise, this.#codec);
    if (settled) return settled;
    throw new ResonateError(
      "SERVER_INCONSISTENT",
      `The server did not settle '${id}' when asked to.`,
    );
  }

  async suspend(
    awaited: readonly string[],
    all: () => readonly string[],
  ): Promise<readonly PromiseRecord[] | undefined> {
    this.#close();
    const settled = await this.#registerAhead(awaited.slice(0, -SUSPEND_ACTIONS_MAX));
    if (settled.length > 0) return settled;
    const response = await this.#network.send(
      this.#suspension(awaited.slice(-SUSPEND_ACTIONS_MAX)),
      () => this.#suspension(all().slice(-SUSPEND_AGAIN_MAX)),
    );
    if (isRefusal(response)) throw this.#refused(response, "task.suspend");
    return response.head.status === 200 ? undefined : (response.data.preload ?? []);
  }

  reopen(version = this.#version): void {
    this.#version = version;
    this.#open?.();
    this.#open = undefined;
  }

  async read(ids: readonly string[]): Promise<readonly PromiseRecord[]> {
    const answers = await Promise.all(ids.map((id) => this.#send("promise.get", { id })));
    return answers.flatMap((answer) => {
      if (!isRefusal(answer)) return [answer.data.promise];
      if (answer.head.status === 404) return [];
      throw this.#refused(answer, "promise.get");
    });
  }

  decode(promise: PromiseRecord): Recorded | Promise<Recorded> {
    return readRecord(promise, this.#codec);
  }

  outcomeOf(promise: PromiseRecord): Settled | undefined | Promise<Settled> {
    return outcomeOf(promise, this.#codec);
  }

  async finish(outcome: Settled): Promise<PromiseRecord> {
    const data = { id: this.#id, ...(await this.#encode(this.#id, outcome)) };
    const action = { kind: "promise.settle", head: {}, data } as const;
    const response = await this.#send("task.fulfill", { ...this.#claim(), action });
    if (isRefusal(response)) throw this.#refused(response, "task.fulfill");
    return response.data.promise;
  }

  #suspension(awaited: readonly string[]): Request<"task.suspend"> {
    const delta = this.#network.extensions.has("delta");
    const actions = awaited.map((id) => {
      const data = { awaited: id, awaiter: this.#id };
      return { kind: "promise.register_callback", head: {}, data } as const;
    });
    const head = delta ? ({ "resonate:preload": "delta" } as const) : {};
    return makeRequest("task.suspend", { ...this.#claim(), actions }, head);
  }

  /** An outcome as it is recorded. One that cannot be written is a failure like any other: the program is told. */
  #encode(id: string, outcome: Settled): Ending | Promise<Ending> {
    const failed = (error: unknown) => {
      if (!isUnwritable(error)) throw error;
      return this.#encode(id, { kind: "rejected", error });
    };
    try {
      const value = this.#codec.encode(contentOf(outcome), id);
      const ending = (encoded: Value) => ({ state: stateOf(outcome), value: encoded });
      return value instanceof Promise ? value.then(ending, failed) : ending(value);
    } catch (error) {
      return failed(error);
    }
  }

  /** Sends a write when it is its turn; gives the promise as it is on record then. */
  async #write<E extends object>(
    encode: () => E | Promise<E>,
    action: (encoded: E) => FencedAction,
  ): Promise<PromiseRecord> {
    const value = encode();
    if (!this.#queue && !(value instanceof Promise)) return this.#fence(action(value));
    const turn = this.#queue;
    // Boxed, so that the queue goes on when it is sent, not when it is answered.
    const sent = (async () => {
      const encoded = await value;
      await turn;
      return { answer: this.#fence(action(encoded)) };
    })();
    this.#enqueue(sent.then(ignore, ignore));
    return (await sent).answer;
  }

  /** From now on writes wait. */
  #close(): void {
    const before = this.#queue;
    const gate = Promise.withResolvers<void>();
    this.#open = gate.resolve;
    this.#enqueue(before ? before.then(() => gate.promise) : gate.promise);
  }

  #enqueue(turn: Promise<void>): void {
    this.#queue = turn;
    void turn.then(() => {
      if (this.#queue === turn) this.#queue = undefined;
    });
  }

  async #fence(action: FencedAction): Promise<PromiseRecord> {
    // The branch is of no interest here, and it may be long.
    const head = { "resonate:preload": "none" } as const;
    const response = await this.#send("task.fence", { ...this.#claim(), action }, head);
    if (isRefusal(response)) throw this.#refused(response, `task.fence of ${action.kind}`);
    const inner = response.data.action;
    if (isRefusal(inner)) throw refusedInside(inner, action);
    return inner.data.promise;
  }

  /** Registers what is too much for one suspend; gives what turned out to be settled. */
  async #registerAhead(ids: readonly string[]): Promise<readonly PromiseRecord[]> {
    const settled: PromiseRecord[] = [];
    for (let from = 0; from < ids.length; from += SUSPEND_ACTIONS_MAX) {
      const page = ids.slice(from, from + SUSPEND_ACTIONS_MAX);
      const answers = await Promise.all(
        page.map((awaited) =>
          this.#send("promise.register_callback", { awaited, awaiter: this.#id }),
        ),
      );
      for (const answer of answers) {
        if (isRefusal(answer)) throw this.#refused(answer, "promise.register_callback");
        if (answer.data.promise.state !== "pending") settled.push(answer.data.promise);
      }
    }
    return settled;
  }

  #claim(): { readonly id: string; readonly version: number } {
    return { id: this.#id, version: this.#version };
  }

  #send<K extends RequestKind>(
    kind: K,
    data: RequestData[K],
    head: Pick<RequestHead, "resonate:preload"> = {},
  ): Promise<Response<K> | Refusal> {
    return this.#network.send(makeRequest(kind, data, head));
  }

  #refused(refusal: Refusal, requestKind: string): Error {
    const { status } = refusal.head;
    const aboutTask = requestKind.startsWith("task.");
    if (aboutTask && (status === 404 || status === 409)) {
      return new LeaseLostError({ promiseId: this.#id });
    }
    return new ServerRefusedError({ status, requestKind, message: refusal.data });
  }
}

interface Ending {
  readonly state: SettledState;
  readonly value: Value;
}

function isUnwritable(error: unknown): boolean {
  return isResonateError(error, "VALUE_NOT_ENCODABLE") || isResonateError(error, "VALUE_TOO_LARGE");
}

function stateOf(outcome: Settled): SettledState {
  return outcome.kind;
}

function contentOf(outcome: Settled): unknown {
  return outcome.kind === "resolved" ? outcome.value : outcome.error;
}

function refusedInside(refusal: Refusal, { kind, data }: FencedAction): ServerRefusedError {
  const message = `${refusal.data} ('${data.id}')`;
  return new ServerRefusedError({ status: refusal.head.status, requestKind: kind, message });
}

function ignore(): void {}
