/** Takes a batch of steps, and every step that follows from them, in one transaction. */
import {
  type ClaimedTask,
  PROTOCOL_VERSION,
  type PromiseRecord,
  type Refusal,
  type RequestHead,
  type Response,
} from "@resonate-ts/protocol";
import { cursorAfter } from "../core/cursor.ts";
import { handlerFor } from "../core/handlers.ts";
import { project } from "../core/project.ts";
import type { Change, Outgoing, StoredPromise } from "../core/records.ts";
import { publicPromise, publicTask } from "../core/replies.ts";
import type { CoreSettings, Keys, Query, Reply, Search, Step, World } from "../core/step.ts";
import type { Found, Store } from "../stores/store.ts";
import { type Budgeted, ReplyBudget } from "./reply-budget.ts";
import { Session } from "./session.ts";

export type ExecuteOffer = Extract<Outgoing, { readonly kind: "execute" }>;

/** Who is given the tasks that a batch leaves pending. What it reserves ends with the batch, however that ends. */
export interface Claims {
  /**
   * What the batch has changed. Said before anyone is asked for, and again when the transaction is run again: what was
   * reserved until then is free.
   */
  begin(changes: readonly Change[]): void;
  /** Who is to be given this task; `undefined` when it is to be offered. */
  claimantOf(offer: ExecuteOffer): Claimant | undefined;
}

export interface Claimant {
  readonly pid: string;
  /** The group in which it is connected. */
  readonly group: string;
  /** Length of the lease, in ms. */
  readonly ttl: number;
  /** It has the execution in memory: what has settled since is enough. */
  readonly warm: boolean;
}

/** A task that was claimed for somebody, who is to be told. */
export interface Assignment {
  readonly claimant: Claimant;
  readonly claimed: ClaimedTask;
}

/** What a batch did. Nothing of it may leave the process before the transaction is durable. */
export interface Executed {
  /** One per step, in order; `undefined` for a step that is no request. */
  readonly answers: readonly (Response | Refusal | undefined)[];
  readonly changes: readonly Change[];
  readonly messages: readonly Outgoing[];
  readonly assignments: readonly Assignment[];
}

/** Takes `steps` in order at the instant `at`. All they did is durable when the promise resolves. */
export function execute(
  store: Pick<Store, "transaction">,
  steps: readonly Budgeted[],
  at: number,
  settings: CoreSettings,
  claims: Claims = NO_CLAIMS,
): Promise<Executed> {
  return store.transaction((tx) => {
    for (const { budget } of steps) budget?.refill();
    return new Batch(new Session(tx, at, settings), claims).take(steps);
  }, at);
}

/** Most of those who wait that are read ahead for a whole batch; more of them are read as steps lead to them. */
const AWAITERS_AHEAD_MAX = 10_000;

/** A step, and the records that it names. */
interface Named {
  readonly step: Budgeted;
  readonly keys: Keys;
}

/** A claim that is about to be made for somebody. */
interface Claim extends Named {
  readonly claimant: Claimant;
}

const NO_CLAIMS: Claims = { begin() {}, claimantOf: () => undefined };

class Batch {
  readonly #session: Session;
  readonly #changes: Change[] = [];
  readonly #messages: Outgoing[] = [];
  readonly #claims: Claims;

  constructor(session: Session, claims: Claims) {
    this.#session = session;
    this.#claims = claims;
  }

  async take(steps: readonly Budgeted[]): Promise<Executed> {
    const named = steps.map(withKeys);
    await this.#session.load(union(named));
    if (named.length > 1) await this.#lookAhead(named);
    const answers: (Response | Refusal | undefined)[] = [];
    for (const { step, keys } of named) answers.push(await this.#takeWithFollowing(step, keys));
    const delivery = await this.#assign(this.#current());
    await this.#session.flush();
    return { answers, changes: this.#changes, ...delivery };
  }

  /** Reads, for all of these together, what taking them will most likely ask for besides what they name. */
  async #lookAhead(named: readonly Named[]): Promise<void> {
    const session = this.#session;
    const foreseen = named.flatMap(({ step }) => aheadOf(step, session));
    const promises = foreseen.flatMap((query) => (query.kind === "promises" ? query.ids : []));
    const awaiters = named
      .flatMap(({ keys: { obligations = [] } }) => obligations)
      .flatMap((id) => [...session.obligations(id).callbacks]);
    await session.load({ promises: [...promises, ...awaiters.slice(0, AWAITERS_AHEAD_MAX)] });
    await session.readAhead(foreseen);
  }

  /** Claims the tasks that somebody can be given, in place of offering them. */
  async #assign(current: readonly Outgoing[]): Promise<Pick<Executed, "messages" | "assignments">> {
    if (!current.some(({ kind }) => kind === "execute")) {
      return { messages: current, assignments: [] };
    }
    this.#claims.begin(this.#changes);
    const claims = new Map(current.map((message) => [message, this.#claimOf(message)]));
    const acquisitions = [...claims.values()].filter((claim) => claim !== undefined);
    if (acquisitions.length > 1) await this.#lookAhead(acquisitions);
    const messages: Outgoing[] = [];
    const assignments: Assignment[] = [];
    for (const [message, claim] of claims) {
      const assignment = claim && (await this.#claim(claim));
      if (assignment) assignments.push(assignment);
      else messages.push(message);
    }
    return { messages, assignments };
  }

  /** How the task of an offer is to be claimed; `undefined` when nobody can be given it. */
  #claimOf(message: Outgoing): Claim | undefined {
    if (message.kind !== "execute") return undefined;
    const claimant = this.#claims.claimantOf(message);
    return claimant && { claimant, ...withKeys(acquisition(message.task, claimant)) };
  }

  /** `undefined` when it cannot be claimed any more: its deadline has come. */
  async #claim({ claimant, step, keys }: Claim): Promise<Assignment | undefined> {
    const { answer } = await this.#takeOne(step, keys);
    // An acquire is answered so.
    return answer?.head.status === 200
      ? { claimant, claimed: answer.data as ClaimedTask }
      : undefined;
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

  async #takeWithFollowing(step: Budgeted, keys: Keys): Promise<Response | Refusal | undefined> {
    if (step.budget?.spent) return leftUndone(step, step.budget);
    const { answer, next } = await this.#takeOne(step, keys);
    // Bounded: a settlement is followed by one page of obligations at most, and those by nothing.
    const queue = next.map(withKeys);
    if (queue.length > 1) await this.#session.load(union(queue));
    for (const following of queue) {
      const { next: more } = await this.#takeOne(following.step, following.keys);
      queue.push(...more.map(withKeys));
    }
    step.budget?.spend(answer?.data);
    return answer;
  }

  async #takeOne(step: Budgeted, keys: Keys) {
    const handler = handlerFor(step.kind);
    const data = step.data as never; // The handler was looked up by the kind that goes with it.
    const budget = step.budget ?? new ReplyBudget();
    if (!this.#session.has(keys)) await this.#session.load(keys);
    const {
      reply,
      changes = [],
      messages = [],
      next = [],
    } = handler.apply(data, this.#session, step.head);
    // Most steps read nothing more. They wait for nothing here: a promise for each part takes more than the part.
    const { preload: queries, search } = reply && "data" in reply ? reply : NOTHING_MORE;
    // What a task was resumed by is read before its claim clears it; all else as it is after the step.
    const resumed = queries ? await this.#run(budget, queries, "resumed") : [];
    this.#session.record(changes);
    this.#changes.push(...changes);
    this.#messages.push(...messages);
    const preload = queries && (await this.#preload(queries, resumed, budget));
    const page = search && (await this.#page(search, budget.left));
    return {
      answer: reply && answerTo(step, reply, { ...(preload && { preload }), ...page }),
      next,
    };
  }

  async #preload(
    queries: readonly Query[],
    resumed: readonly StoredPromise[],
    budget: ReplyBudget,
  ): Promise<readonly PromiseRecord[]> {
    const named = await this.#run(budget, queries, "promises");
    const branch = await this.#run(budget, queries, "branch");
    // Those the caller asks for by name come first, and one of them always: it would only ask again.
    const found = budget.fitting([...named, ...resumed, ...branch], Math.min(1, named.length));
    return byId(found).map((record) => this.#shown(record));
  }

  async #run(
    budget: ReplyBudget,
    queries: readonly Query[],
    kind: Query["kind"],
  ): Promise<readonly StoredPromise[]> {
    const found: StoredPromise[] = [];
    for (const query of queries) {
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

const NOTHING_MORE: Pick<Extract<Reply, { readonly data: unknown }>, "preload" | "search"> = {};

/** `more`: what was read for the answer besides. */
function answerTo(
  step: Step,
  reply: Reply,
  more: Readonly<Record<string, unknown>>,
): Response | Refusal {
  const head = {
    corrId: step.head?.corrId ?? "0",
    status: reply.status,
    version: PROTOCOL_VERSION,
  };
  if ("error" in reply) return { kind: step.kind, head, data: reply.error };
  // The handler of a kind answers with the data of that kind.
  return { kind: step.kind, head, data: { ...reply.data, ...more } } as Response;
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

/** The request by which a worker would claim the task itself. */
export function acquisition(
  { id, version }: { readonly id: string; readonly version: number },
  { pid, ttl, warm }: Omit<Claimant, "group">,
): Step<"task.acquire"> {
  const head: RequestHead = {
    corrId: "",
    version: PROTOCOL_VERSION,
    ...(warm && { "resonate:preload": "delta" }),
  };
  return { kind: "task.acquire", head, data: { id, version, pid, ttl } };
}

function withKeys(step: Budgeted): Named {
  return { step, keys: handlerFor(step.kind).keys(step.data as never, step.head) }; // As above.
}

/** What a step may ask for besides, as far as can be told before it is taken. */
function aheadOf({ kind, data, head }: Step, world: World): readonly Query[] {
  return handlerFor(kind).ahead?.(data as never, world, head) ?? []; // As above.
}

/** What is read for all of them together. Trees and awaits are read for each, after what comes before it is written. */
function union(named: readonly Named[]): Keys {
  return {
    promises: named.flatMap(({ keys: { promises = [] } }) => promises),
    obligations: named.flatMap(({ keys: { obligations = [] } }) => obligations),
    listeners: named.flatMap(({ keys: { listeners = [] } }) => listeners),
    schedules: named.flatMap(({ keys: { schedules = [] } }) => schedules),
  };
}
