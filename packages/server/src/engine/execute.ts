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
import { type Budgeted, ReplyBudget } from "./reply-budget.ts";
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
  steps: readonly Budgeted[],
  at: number,
  settings: CoreSettings,
): Promise<Executed> {
  return store.transaction((tx) => new Batch(new Session(tx, at, settings)).take(steps));
}

class Batch {
  readonly #session: Session;
  readonly #changes: Change[] = [];
  readonly #messages: Outgoing[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  async take(steps: readonly Budgeted[]): Promise<Executed> {
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

  async #takeWithFollowing(step: Budgeted): Promise<Response | Refusal | undefined> {
    if (step.budget?.spent) return leftUndone(step, step.budget);
    const { answer, next } = await this.#takeOne(step);
    // Bounded: a settlement is followed by one page of obligations at most, and those by nothing.
    const queue = [...next];
    for (const following of queue) queue.push(...(await this.#takeOne(following)).next);
    step.budget?.spend(answer?.data);
    return answer;
  }

  async #takeOne(step: Budgeted) {
    const handler = handlerFor(step.kind);
    const data = step.data as never; // The handler was looked up by the kind that goes with it.
    const budget = step.budget ?? new ReplyBudget();
    await this.#session.load(handler.keys(data, step.head));
    const {
      reply,
      changes = [],
      messages = [],
      next = [],
    } = handler.apply(data, this.#session, step.head);
    const queries = reply && "data" in reply ? reply.preload : undefined;
    // What a task was resumed by is read before its claim clears it; all else as it is after the step.
    const resumed = await this.#run(budget, queries, "resumed");
    this.#session.record(changes);
    this.#changes.push(...changes);
    this.#messages.push(...messages);
    const named = await this.#run(budget, queries, "promises");
    const branch = await this.#run(budget, queries, "branch");
    // Those the caller asks for by name come first, and one of them always: it would only ask again.
    const found = budget.fitting([...named, ...resumed, ...branch], Math.min(1, named.length));
    const preload = queries && byId(found).map((record) => this.#shown(record));
    return { answer: reply && (await this.#answer(step, reply, preload, budget)), next };
  }

  async #run(
    budget: ReplyBudget,
    queries: readonly Query[] | undefined,
    kind: Query["kind"],
  ): Promise<readonly StoredPromise[]> {
    const found: StoredPromise[] = [];
    for (const query of queries ?? []) {
      if (query.kind === kind) found.push(...(await this.#query(query, budget.left)));
    }
    return found;
  }

  async #query(query: Query, bytesMax: number): Promise<readonly StoredPromise[]> {
    switch (query.kind) {
      case "branch": {
        const records = await this.#session.branch(query.branch, bytesMax);
        return records.filter(({ id }) => id !== query.except);
      }
      case "resumed":
        return this.#session.resumed(query.awaiter, bytesMax);
      case "promises":
        return query.ids.flatMap((id) => this.#session.promise(id) ?? []);
    }
  }

  async #answer(
    step: Step,
    reply: Reply,
    preload: readonly PromiseRecord[] | undefined,
    budget: ReplyBudget,
  ) {
    const head = {
      corrId: step.head?.corrId ?? "0",
      status: reply.status,
      version: PROTOCOL_VERSION,
    };
    if ("error" in reply) return { kind: step.kind, head, data: reply.error };
    const page = reply.search && (await this.#page(reply.search, budget.left));
    const data = { ...reply.data, ...(preload && { preload }), ...page };
    // The handler of a kind answers with the data of that kind.
    return { kind: step.kind, head, data } as Response;
  }

  async #page(search: Search, bytesMax: number): Promise<Readonly<Record<string, unknown>>> {
    const found = await this.#session.search(search, bytesMax);
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

/** The answer to a request that came too late in its batch: nothing of it was done, and it may be sent again. */
function leftUndone({ kind, head }: Step, { bytesMax }: ReplyBudget): Refusal {
  return {
    kind,
    head: { corrId: head?.corrId ?? "0", status: 503, version: PROTOCOL_VERSION },
    data: `Not done: the answers before it in this batch take up all of limits.reply_bytes (${bytesMax}); send it in another one`,
  };
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
