/** Takes a batch of steps, and every step that follows from them, in one transaction. */
import {
  PROTOCOL_VERSION,
  type PromiseRecord,
  type Refusal,
  type Response,
} from "@resonate-ts/protocol";
import { cursorAfter } from "../core/cursor.ts";
import { handlerFor } from "../core/handlers.ts";
import { project } from "../core/project.ts";
import type { Change, Outgoing, StoredPromise } from "../core/records.ts";
import { publicPromise, publicTask } from "../core/replies.ts";
import type { CoreSettings, Query, Reply, Search, Step } from "../core/step.ts";
import type { Found, Store } from "../stores/store.ts";
import { Session } from "./session.ts";

/** What a batch did. Nothing of it may leave the process before the transaction is durable. */
export interface Executed {
  /** One per step, in order; `undefined` for a step that is no request. */
  readonly answers: readonly (Response | Refusal | undefined)[];
  readonly changes: readonly Change[];
  readonly messages: readonly Outgoing[];
}

/** Takes `steps` in order at the instant `at`. All they did is durable when the promise resolves. */
export function execute(
  store: Store,
  steps: readonly Step[],
  at: number,
  settings: CoreSettings,
): Promise<Executed> {
  return store.transaction((tx) => new Batch(new Session(tx, at, settings)).take(steps), at);
}

class Batch {
  readonly #session: Session;
  readonly #changes: Change[] = [];
  readonly #messages: Outgoing[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  async take(steps: readonly Step[]): Promise<Executed> {
    await this.#session.load(keysOfAll(steps));
    const answers: (Response | Refusal | undefined)[] = [];
    for (const step of steps) answers.push(await this.#takeWithFollowing(step));
    await this.#session.flush();
    return { answers, changes: this.#changes, messages: this.#current() };
  }

  /** The messages that still hold: offers of tasks that are pending at that version now, one of each. */
  #current(): readonly Outgoing[] {
    const offers = new Map<string, Outgoing>();
    for (const message of this.#messages) {
      if (message.kind === "execute") offers.set(message.task.id, message);
    }
    return this.#messages.filter((message) => {
      if (message.kind !== "execute") return true;
      const { id, version } = message.task;
      const task = this.#session.task(id);
      return offers.get(id) === message && task?.state === "pending" && task.version === version;
    });
  }

  async #takeWithFollowing(step: Step): Promise<Response | Refusal | undefined> {
    const { answer, next } = await this.#takeOne(step);
    // Bounded: a settlement is followed by one page of obligations at most, and those by nothing.
    const queue = [...next];
    for (const following of queue) queue.push(...(await this.#takeOne(following)).next);
    return answer;
  }

  async #takeOne(step: Step) {
    const handler = handlerFor(step.kind);
    const data = step.data as never; // The handler was looked up by the kind that goes with it.
    await this.#session.load(handler.keys(data, step.head));
    const {
      reply,
      changes = [],
      messages = [],
      next = [],
    } = handler.apply(data, this.#session, step.head);
    const queries = reply && "data" in reply ? reply.preload : undefined;
    // What a task was resumed by is read before its claim clears it; all else as it is after the step.
    const resumed = await this.#run(queries?.filter(({ kind }) => kind === "resumed"));
    this.#session.record(changes);
    this.#changes.push(...changes);
    this.#messages.push(...messages);
    const others = await this.#run(queries?.filter(({ kind }) => kind !== "resumed"));
    const preload = queries && byId([...resumed, ...others]).map((record) => this.#shown(record));
    return { answer: reply && (await this.#answer(step, reply, preload)), next };
  }

  async #run(queries: readonly Query[] = []): Promise<readonly StoredPromise[]> {
    const found: StoredPromise[] = [];
    for (const query of queries) found.push(...(await this.#query(query)));
    return found;
  }

  async #query(query: Query): Promise<readonly StoredPromise[]> {
    switch (query.kind) {
      case "branch": {
        const records = await this.#session.branch(query.branch);
        return records.filter(({ id }) => id !== query.except);
      }
      case "resumed":
        return this.#session.resumed(query.awaiter);
      case "promises":
        return query.ids.flatMap((id) => this.#session.promise(id) ?? []);
    }
  }

  async #answer(step: Step, reply: Reply, preload: readonly PromiseRecord[] | undefined) {
    const head = {
      corrId: step.head?.corrId ?? "0",
      status: reply.status,
      version: PROTOCOL_VERSION,
    };
    if ("error" in reply) return { kind: step.kind, head, data: reply.error };
    const page = reply.search && (await this.#page(reply.search));
    const data = { ...reply.data, ...(preload && { preload }), ...page };
    // The handler of a kind answers with the data of that kind.
    return { kind: step.kind, head, data } as Response;
  }

  async #page(search: Search): Promise<Readonly<Record<string, unknown>>> {
    const found = await this.#session.search(search);
    return {
      [search.kind]: this.#shownPage(found),
      ...(found.next !== undefined && { cursor: cursorAfter(found.next) }),
    };
  }

  #shownPage(found: Found): readonly unknown[] {
    switch (found.kind) {
      case "promises":
        return found.records.map((promise) => this.#shown(promise));
      case "tasks":
        return found.records.map(publicTask);
      case "schedules":
        return found.records;
    }
  }

  #shown(promise: StoredPromise): PromiseRecord {
    return publicPromise(project(promise, this.#session.at));
  }
}

/** Each record once (as it was read last), by id: several queries may find the same one. */
function byId(records: readonly StoredPromise[]): readonly StoredPromise[] {
  const unique = new Map(records.map((record) => [record.id, record]));
  return [...unique.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** The records that the steps name, so that one read gets them for the whole batch. */
function keysOfAll(steps: readonly Step[]) {
  const promises: string[] = [];
  const schedules: string[] = [];
  for (const { kind, data, head } of steps) {
    const keys = handlerFor(kind).keys(data as never, head); // As above.
    promises.push(...(keys.promises ?? []));
    schedules.push(...(keys.schedules ?? []));
  }
  return { promises, schedules };
}
