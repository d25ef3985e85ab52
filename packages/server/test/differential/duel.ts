/**
 * The server on one store and the oracle, side by side from an empty store. After every event their answers and
 * messages are the same, and so is what is stored of all that was touched; after every micro-step the properties of
 * the catalogue hold. The first difference is thrown.
 */
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { isSame, stateViolations } from "../../src/core/invariants.ts";
import type { Change, Outgoing } from "../../src/core/records.ts";
import type { Step } from "../../src/core/step.ts";
import { Dispatcher } from "../../src/engine/dispatcher.ts";
import { execute } from "../../src/engine/execute.ts";
import { announce, isStep } from "../../src/engine/hearing.ts";
import type { Store } from "../../src/stores/store.ts";
import { ObservedWorld } from "../properties/observed-world.ts";
import { readAll, readNamed, type StoredEntry } from "../properties/stored-world.ts";
import { observed } from "../properties/tap.ts";
import { type Answer, Oracle, RETRY_MS } from "./oracle.ts";
import { ADDRESSES, type Generated } from "./requests.ts";

export type Event =
  /** Time passes; what is due is done, or (`lag`) not yet. */
  | { readonly kind: "pass"; readonly ms: number; readonly lag: boolean; readonly lost: boolean }
  /** Requests in one transaction. */
  | { readonly kind: "ask"; readonly requests: readonly Generated[]; readonly lost: boolean }
  /** A search, page by page. */
  | { readonly kind: "walk"; readonly search: Generated };

/** What was seen of a kind of request: its name and the status of an answer. */
export type Seen = (kind: string, status: number) => void;

/** A batch of due steps is taken again until nothing is due, so many times at most. */
const ROUNDS_MAX = 2_000;
const SETTINGS = { retryTimeoutMs: RETRY_MS };

/** The two sides differ, or a property is broken. */
export class Difference extends Error {
  override readonly name = "Difference";
}

export class Duel {
  readonly oracle = new Oracle();
  readonly world = new ObservedWorld(RETRY_MS);
  readonly #store: Store;
  readonly #seen: Seen;
  /** For announcements, which are no steps. */
  readonly #dispatcher = new Dispatcher({
    serverUrl: undefined,
    shared: false,
    now: () => this.oracle.now,
    claim() {},
    takeBack() {},
    refill() {},
  });

  constructor(store: Store, seen: Seen = () => {}) {
    this.#store = store;
    this.#seen = seen;
    this.oracle.now = 1_000;
    const { group, pid: id } = Oracle.CONNECTED;
    this.#dispatcher.open({ group, id, graceMs: 0, send: () => true, closed() {} });
  }

  async take(event: Event): Promise<void> {
    switch (event.kind) {
      case "pass":
        return this.#pass(event.ms, event);
      case "ask":
        return this.#ask(event.requests, event.lost);
      case "walk":
        return this.#walk(event.search);
    }
  }

  /** Compares all that is stored, and checks every property of states on it. */
  async compareAll(): Promise<void> {
    const stored = await readAll(this.#store, ADDRESSES, this.oracle.now);
    same("ids", { ids: [...stored.ids].sort() }, { ids: [...this.oracle.promises.keys()].sort() });
    for (const id of stored.ids) this.#compareEntry(id, stored.entry(id));
    same(
      "schedules",
      [...stored.scheduleIds].map((id) => stored.schedule(id)?.record),
      [...this.oracle.schedules.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    for (const id of stored.ids) this.#compareSeen(id, stored.entry(id));
    same("properties", stateViolations(stored), []);
  }

  async #pass(ms: number, { lag, lost }: { lag: boolean; lost: boolean }): Promise<void> {
    this.oracle.now += ms;
    if (lag) return;
    this.oracle.tick();
    const sent: Outgoing[] = [];
    const changes: Change[] = [];
    let round = 0;
    for (; round < ROUNDS_MAX; round++) {
      const { steps } = await this.#store.due(this.oracle.now, 1_000);
      if (steps.length === 0) break;
      const executed = await this.#execute(steps);
      sent.push(...executed.messages);
      changes.push(...executed.changes);
    }
    same("what stays due", { round: Math.min(round, ROUNDS_MAX - 1) }, { round });
    same("messages of what was due", shown(sent), this.oracle.takeMessages());
    await this.#deliver(sent, lost);
    await this.#compareTouched(changes, []);
  }

  async #ask(requests: readonly Generated[], lost: boolean): Promise<void> {
    const expected: Answer[] = [];
    const steps: Step[] = [];
    for (const request of requests) {
      const parsed = parse(request);
      same("refused by the parser", { refused: !parsed.ok }, { refused: request.broken ?? false });
      const answer = request.broken || request.refused ? { status: 400 } : this.#answer(request);
      this.#seen(request.kind, answer.status);
      if (!parsed.ok) continue;
      if (isStep(parsed.request)) {
        expected.push(answer);
        steps.push(parsed.request);
      } else {
        const { head } = announce(parsed.request, this.#dispatcher);
        same(
          "answer to an announcement",
          { status: head.status },
          answer.data ? { status: 200 } : answer,
        );
      }
    }
    const { answers, messages, changes } = await this.#execute(steps);
    same(
      "answers",
      answers.map((answer) => comparable(answer)),
      expected.map((answer) => comparableData(answer)),
    );
    same("messages", shown(messages), this.oracle.takeMessages());
    await this.#deliver(messages, lost);
    await this.#compareTouched(changes, requests);
  }

  #answer({ kind, data, preload, cause }: Generated): Answer {
    const answer = this.oracle.ask(kind, data, preload, cause);
    if (kind === "task.fence" && answer.status === 200) {
      this.#seen(`task.fence of ${data.action.kind}`, answer.data.action.head.status);
      const { then: next } = answer.data;
      if (next) this.#seen("task.fence of both", next.head.status);
    }
    // What the oracle shows now must not change with what it does next.
    return structuredClone(answer);
  }

  /** All pages together are what the oracle has, no page is longer than asked, and the last has no cursor. */
  async #walk(search: Generated): Promise<void> {
    const { kind, data } = search;
    const all = this.oracle.ask(kind, { ...data, limit: Number.POSITIVE_INFINITY });
    const [name = "", expected = []] = Object.entries(all.data)[0] ?? [];
    const found: unknown[] = [];
    let cursor: string | undefined;
    do {
      const parsed = parse({ kind, data: { ...data, ...(cursor && { cursor }) } });
      if (!parsed.ok) throw new Difference(`a cursor of ours was refused: ${parsed.message}`);
      const { answers } = await this.#execute([parsed.request as Step]); // As above.
      const page = JSON.parse(JSON.stringify(answers[0])).data;
      same("page length", page[name].length <= data.limit, true);
      found.push(...page[name]);
      cursor = page.cursor;
      // Every page but the last goes on: not more of them than there are records.
      if (found.length > (expected as unknown[]).length) break;
    } while (cursor !== undefined);
    same("pages", found, comparableJson(expected));
    this.#seen(`${kind} by pages`, 200);
  }

  /** Takes steps in one transaction, with the properties checked after each. */
  #execute(steps: readonly Step[]) {
    const broken: unknown[] = [];
    return observed(
      (kind, at, effects) => {
        const violations = this.world.take(kind, at, effects);
        if (violations.length > 0) broken.push({ kind, violations, effects });
      },
      async () => {
        const executed = await execute(this.#store, steps, this.oracle.now, SETTINGS);
        same("properties", broken, []);
        return executed;
      },
    );
  }

  async #deliver(messages: readonly Outgoing[], lost: boolean): Promise<void> {
    this.oracle.delivered(!lost);
    if (lost) return;
    await this.#execute(
      messages.flatMap((message): Step[] => {
        if (message.kind !== "unblock") return [];
        const { address, promise } = message;
        return [{ kind: "promise.notified", data: { awaited: promise.id, address } }];
      }),
    );
  }

  async #compareTouched(changes: readonly Change[], requests: readonly Generated[]): Promise<void> {
    const ids = [...new Set([...changes.flatMap(idsOf), ...requests.flatMap(idsIn)])];
    const named = { ids, addresses: ADDRESSES, scheduleIds: [] };
    const stored = await readNamed(this.#store, named, this.oracle.now);
    for (const id of ids) this.#compareEntry(id, stored.entry(id));
  }

  #compareEntry(id: string, entry: StoredEntry | undefined): void {
    const { promise, task, callbacks = [], listeners = [], resumedBy = [] } = entry ?? {};
    const ours = {
      ...(promise && { promise }),
      ...(task && { task }),
      callbacks: [...callbacks].sort(),
      listeners: [...listeners].sort(),
      // Nobody asks any more what resumed a task that has ended.
      resumedBy: task?.state === "fulfilled" ? [] : [...resumedBy].sort(),
      notices: [...(entry?.noticesAt ?? [])].sort(),
    };
    same(`what is stored of '${id}'`, ours, this.oracle.stored(id));
  }

  /** The micro-steps add up to what is stored. */
  #compareSeen(id: string, stored: StoredEntry | undefined): void {
    const seen = this.world.entry(id);
    const essence = (entry: typeof seen) => ({
      promise: entry?.promise,
      task: entry?.task,
      awaits: [...(entry?.awaits ?? [])].sort(),
      unblocks: (entry?.unblocks ?? []).map(({ address }) => address).sort(),
    });
    if (this.world.steps > 0) same(`what was done to '${id}'`, essence(stored), essence(seen));
  }
}

/** Throws unless the two are the same. */
function same(what: string, ours: unknown, theirs: unknown): void {
  if (isSame(ours, theirs)) return;
  throw new Difference(
    `${what}: the server has ${JSON.stringify(ours)}, the oracle ${JSON.stringify(theirs)}`,
  );
}

export function parse({ kind, data, preload, cause }: Generated) {
  const head = {
    corrId: "c",
    version: PROTOCOL_VERSION,
    ...(preload && { "resonate:preload": preload }),
    ...(cause && { "resonate:cause": cause }),
  };
  return parseRequest({ kind, head, data });
}

/** An answer without what is left open: the words of refusals, and the spelling of cursors. */
function comparable(answer: unknown): { status: number; data?: unknown } {
  const { head, data } = JSON.parse(JSON.stringify(answer));
  return comparableData({ status: head.status, data });
}

function comparableData(answer: Answer): { status: number; data?: unknown } {
  const { status, data } = JSON.parse(JSON.stringify(answer));
  if (status >= 400 || typeof data !== "object") return { status };
  if (typeof data.action?.data === "string") data.action.data = "text";
  delete data.cursor;
  return { status, data };
}

function comparableJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function shown(messages: readonly Outgoing[]): string[] {
  return messages.map(shownOne).sort();
}

function shownOne(message: Outgoing): string {
  switch (message.kind) {
    case "execute":
      return `execute ${message.task.id} ${message.task.version} to ${message.address}`;
    case "unblock":
      return `unblock ${message.promise.id} ${message.promise.state} to ${message.address}`;
    case "tangled":
      return `tangled ${message.id}`;
    case "revoke":
      return `revoke ${message.promise.id} ${message.promise.state} from ${message.pid}`;
  }
}

/** The ids that a change names. */
function idsOf(change: Change): string[] {
  const named = "record" in change ? change.record : change;
  return Object.entries(named).flatMap(([name, value]) =>
    ["id", "awaited", "awaiter"].includes(name) && typeof value === "string" ? [value] : [],
  );
}

/** The promises that a request names. */
function idsIn({ kind, data, broken }: Generated): string[] {
  if (broken || kind.startsWith("schedule.")) return [];
  const named = [data.id, data.awaited, data.awaiter, data.action?.data.id];
  return named.filter((id) => typeof id === "string");
}
