/**
 * The journal over a network.
 *
 * I1. Every write is fenced by the claim: what a process that has lost it sends is refused by the server.
 * I2. Writes leave through the outbox: in the order of the calls, in the same turn where nothing has to be waited for,
 *     so that they can travel together, and never on the ground of a guess.
 * I3. Between `suspend` and `reopen` there is no claim: writes wait, in order, and nothing is sent.
 * I4. What a program goes on with for good is what the server says is on record, never what was asked for.
 */
import { isDeepStrictEqual } from "node:util";
import {
  type Action,
  isExternal,
  isRefusal,
  isTimer,
  type PromiseCreate,
  type PromiseRecord,
  type Refusal,
  type Request,
  type RequestData,
  type RequestHead,
  type RequestKind,
  type Response,
  type SettledState,
  TAG,
  type Value,
} from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { isResonateError, LeaseLostError, ResonateError, ServerRefusedError } from "../errors.ts";
import type { Settled } from "../future.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import {
  type CreateRequest,
  type Ended,
  GuessFailed,
  type Journal,
  type Recorded,
} from "./journal.ts";
import { Outbox } from "./outbox.ts";
import { outcomeOf, readRecord } from "./outcome.ts";
import { type FencedAction, Write } from "./write.ts";

/** Most promises named in one suspend; what is more is registered before, 500 requests in flight at most. */
const SUSPEND_ACTIONS_MAX = 500;
/** Most promises named in a suspend whose first answer was lost: as many as surely fit into one request. */
const SUSPEND_AGAIN_MAX = 2_000;

/** What a promise takes beside its payloads, about: its id, its cell, what waits for it. */
const RECORD_BYTES = 1_000;

export class NetworkJournal implements Journal {
  readonly #network: Network;
  readonly #codec: Codec;
  readonly #id: string;
  #version: number;
  /** Records that the claim brought along and that have not been asked for yet. */
  readonly #known: Map<string, PromiseRecord>;
  readonly #outbox = new Outbox();
  #bytes: number;

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
    this.#bytes = parts.preload.reduce((sum, promise) => sum + sizeOf(promise), 0);
  }

  create({ id, timeoutAt, tags, data, headers }: CreateRequest): Recorded | Promise<Recorded> {
    const known = this.#known.get(id);
    if (known) {
      this.#known.delete(id);
      return readRecord(known, this.#codec);
    }
    let param: Value | undefined;
    const external = isExternal(tags);
    // An async function may turn out to wait for it a turn later than a generator; the park then still goes along.
    // A plain promise may be settled at once by whoever is told its id.
    const waits = external && (tags[TAG.target] !== undefined || isTimer(tags));
    const write = this.#write({ careful: true, follows: !external, waits });
    this.#post(
      write,
      tried(() => this.#codec.encode(data, id)),
      (encoded) => {
        param = headers ? { ...encoded, headers: { ...encoded.headers, ...headers } } : encoded;
        return { kind: "promise.create", data: { id, timeoutAt, tags, param } };
      },
    );
    return write.answer.then((promise) => readRecord(promise, this.#codec, param));
  }

  async settle({ id, outcome, leaf, ahead }: Ended): Promise<Settled> {
    const ending = this.#encode(id, outcome);
    const expected = ahead && this.#expected(ending);
    const guess = expected !== undefined;
    const write = this.#write({ careful: !leaf, guess, waits: guess });
    this.#post(write, ending, (end) => ({ kind: "promise.settle", data: { id, ...end } }));
    if (expected) {
      ahead(expected);
      await write.answer;
      return expected;
    }
    const settled = await outcomeOf(await write.answer, this.#codec);
    if (settled) return settled;
    throw new ResonateError(
      "SERVER_INCONSISTENT",
      `The server did not settle '${id}' when asked to.`,
    );
  }

  get bytes(): number {
    return this.#bytes;
  }

  get together(): boolean {
    return this.#network.extensions.has("batch");
  }

  abandon(): void {
    this.#outbox.abandon();
  }

  suspend(
    awaited: readonly string[],
    all: () => readonly string[],
    registered: (ids: readonly string[]) => void,
  ): Promise<readonly PromiseRecord[] | undefined> {
    return this.#inTurn(() => {
      this.#outbox.close();
      return this.#suspend(awaited, all, registered);
    });
  }

  reopen(version = this.#version): void {
    this.#version = version;
    this.#outbox.reopen();
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
    this.#bytes += sizeOf(promise);
    return outcomeOf(promise, this.#codec);
  }

  async finish(outcome: Settled): Promise<PromiseRecord> {
    const data = { id: this.#id, ...(await this.#encode(this.#id, outcome)) };
    const action = { kind: "promise.settle", head: {}, data } as const;
    const response = await this.#inTurn(() =>
      this.#send("task.fulfill", { ...this.#claim(), action }),
    );
    if (isRefusal(response)) throw this.#refused(response, "task.fulfill");
    return response.data.promise;
  }

  async #suspend(
    awaited: readonly string[],
    all: () => readonly string[],
    registered: (ids: readonly string[]) => void,
  ): Promise<readonly PromiseRecord[] | undefined> {
    const ahead = awaited.slice(0, -SUSPEND_ACTIONS_MAX);
    const settled = await this.#registerAhead(ahead, registered);
    if (settled.length > 0) return settled;
    const response = await this.#network.send(
      this.#suspension(awaited.slice(-SUSPEND_ACTIONS_MAX)),
      () => this.#suspension(all().slice(-SUSPEND_AGAIN_MAX)),
    );
    if (isRefusal(response)) throw this.#refused(response, "task.suspend");
    return response.head.status === 200 ? undefined : (response.data.preload ?? []);
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

  /** What a replay would see of an ending; nothing where only time, or another server, can tell. */
  #expected(ending: Ending | Promise<Ending>): Settled | undefined {
    if (ending instanceof Promise || !this.#network.extensions.has("then")) return undefined;
    const content = tried(() => this.#codec.decode(ending.value));
    if (content instanceof Promise) {
      // It fails again, and is told, when the answer is read.
      content.catch(ignore);
      return undefined;
    }
    return ending.state === "resolved"
      ? { kind: "resolved", value: content }
      : { kind: "rejected", error: content };
  }

  #write(
    traits: Pick<Write, "careful"> & Partial<Pick<Write, "guess" | "follows" | "waits">>,
  ): Write {
    return new Write({
      ...traits,
      post: (write, follower) => void this.#fence(write, follower),
      dropped: () => new LeaseLostError({ promiseId: this.#id }),
    });
  }

  /** Puts a write into the outbox, now, and lets it go when it is encoded. */
  #post<E extends object>(
    write: Write,
    encoding: E | Promise<E>,
    action: (encoded: E) => FencedAction,
  ): void {
    const encoded = (value: E) => {
      write.action = action(value);
      write.ready = true;
    };
    if (encoding instanceof Promise) {
      const failed = (error: unknown) => {
        write.ready = true;
        write.reject(error);
      };
      void encoding.then(encoded, failed).then(() => this.#outbox.advance());
    } else encoded(encoding);
    this.#outbox.add(write);
  }

  /** Sends what is no write of the program when it is its turn, with nothing in between. */
  #inTurn<A>(send: () => Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#outbox.add({
        ready: true,
        careful: true,
        guess: false,
        follows: false,
        waits: false,
        send: () => void send().then(resolve, reject),
        drop: () => reject(new LeaseLostError({ promiseId: this.#id })),
      });
    });
  }

  async #fence(write: Write, follower: Write | undefined): Promise<void> {
    const { action } = write;
    if (!action) return;
    // The branch is of no interest here, and it may be long.
    const head = { "resonate:preload": "none" } as const;
    const next = follower && creationOf(follower);
    // biome-ignore lint/suspicious/noThenProperty: the wire calls it so; it is no function.
    const data = { ...this.#claim(), action, ...(next && { then: next }) };
    try {
      const response = await this.#send("task.fence", data, head);
      if (isRefusal(response)) throw this.#refused(response, `task.fence of ${action.kind}`);
      const promise = recordIn(response.data.action, action);
      this.#bytes += sizeOf(promise);
      if (write.guess) this.#prove(action, promise);
      write.resolve(promise);
      if (follower && next) follower.resolve(recordIn(response.data.then, next));
    } catch (error) {
      write.reject(error);
      follower?.reject(error);
    }
  }

  /** @throws GuessFailed when something else is on record than what was asked for. */
  #prove({ data: asked }: FencedAction, { id, state, value }: PromiseRecord): void {
    const same =
      "state" in asked &&
      asked.state === state &&
      asked.value.data === value.data &&
      isDeepStrictEqual(asked.value.headers ?? {}, value.headers ?? {});
    if (!same) throw new GuessFailed(id);
    this.#outbox.proved();
  }

  /** Registers what is too much for one suspend; gives what turned out to be settled, as soon as something has. */
  async #registerAhead(
    ids: readonly string[],
    registered: (ids: readonly string[]) => void,
  ): Promise<readonly PromiseRecord[]> {
    const settled: PromiseRecord[] = [];
    for (let from = 0; from < ids.length && settled.length === 0; from += SUSPEND_ACTIONS_MAX) {
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
      registered(page);
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

/** What a record takes in memory, about, in bytes. */
function sizeOf({ param, value }: PromiseRecord): number {
  return RECORD_BYTES + (param.data?.length ?? 0) + (value.data?.length ?? 0);
}

/** The record in the answer to an action. What the server has left out it has left out because of a wrong guess. */
function recordIn(
  answer: Response<"promise.create"> | Response<"promise.settle"> | Refusal | undefined,
  { kind, data }: FencedAction,
): PromiseRecord {
  if (!answer) throw new GuessFailed(data.id);
  if (!isRefusal(answer)) return answer.data.promise;
  const message = `${answer.data} ('${data.id}')`;
  throw new ServerRefusedError({ status: answer.head.status, requestKind: kind, message });
}

/** What a write creates. */
function creationOf({ action }: Write): Action<"promise.create", PromiseCreate> | undefined {
  return action?.kind === "promise.create" ? action : undefined;
}

/** Calls; what is thrown becomes a rejection. */
function tried<T>(call: () => T | Promise<T>): T | Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}

function ignore(): void {}
