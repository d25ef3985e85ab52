/**
 * The protocol once more, as plainly as can be: maps, sets and one function per kind of request. It shares no code
 * with the server and knows nothing of stores, batches or steps.
 *
 * Where the protocol leaves a choice it takes the server's: a deadline that has passed is written down by `tick` only
 * (until then it is seen by projection), the preload of a 300 names what is settled besides the branch, and a notice
 * that was not delivered is sent again. Our additions that it knows: the preload may be left out, or be the delta; a
 * release or a halt may have a cause; claims that end without a verdict are counted; a fence may settle and then create;
 * a worker announces itself.
 */
import { nextAfter } from "./oracle-cron.ts";

type Tags = Readonly<Record<string, string>>;

interface Promised {
  readonly id: string;
  state: string;
  readonly param: object;
  value: object;
  readonly tags: Tags;
  readonly timeoutAt: number;
  readonly createdAt: number;
  settledAt: number | undefined;
  readonly callbacks: Set<string>;
  readonly listeners: Set<string>;
}

interface Tasked {
  readonly id: string;
  state: string;
  version: number;
  resumes: Set<string>;
  /** All that resumed it since its last claim, for the delta preload. */
  heard: Set<string>;
  pid: string | undefined;
  ttl: number | undefined;
  leaseAt: number | undefined;
  retryAt: number | undefined;
  /** Claims in a row that ended without a verdict, and why the last one that said so did. */
  failures: number | undefined;
  cause: string | undefined;
}

interface Scheduled {
  readonly id: string;
  readonly cron: string;
  readonly promiseId: string;
  readonly promiseTimeout: number;
  readonly promiseParam: object;
  readonly promiseTags: Tags;
  readonly createdAt: number;
  nextRunAt: number;
  lastRunAt?: number;
}

/** A listener that was told and has not received it. */
interface Notice {
  readonly id: string;
  readonly address: string;
  nextAt: number;
  /** Sent since the messages were taken last. */
  sent: boolean;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the answers of all kinds.
  readonly data?: any;
}

// biome-ignore lint/suspicious/noExplicitAny: the requests of all kinds.
type Data = any;

export const RETRY_MS = 30_000;
const NOTICE_MS_MAX = 600_000;
const TIMER = "resonate:timer";
const TARGET = "resonate:target";

export class Oracle {
  now = 0;
  readonly promises = new Map<string, Promised>();
  readonly tasks = new Map<string, Tasked>();
  readonly schedules = new Map<string, Scheduled>();
  #notices = new Map<string, Notice>();
  #executes = new Map<string, string>();
  #others: string[] = [];

  /** Another oracle that knows the same promises and tasks. */
  copy(): Oracle {
    const copy = new Oracle();
    copy.now = this.now;
    for (const [id, promise] of this.promises) {
      const { callbacks, listeners } = promise;
      copy.promises.set(id, {
        ...promise,
        callbacks: new Set(callbacks),
        listeners: new Set(listeners),
      });
    }
    for (const [id, task] of this.tasks) {
      const { resumes, heard } = task;
      copy.tasks.set(id, { ...task, resumes: new Set(resumes), heard: new Set(heard) });
    }
    return copy;
  }

  /** The same text for oracles that answer the same from here on. */
  fingerprint(): string {
    return JSON.stringify([...this.promises.keys()].sort().map((id) => this.stored(id)));
  }

  /** The worker that has a stream open. */
  static readonly CONNECTED = { group: "g", pid: "p1" };

  /** Answers a valid request. `preload`: what its head asks for. */
  ask(kind: string, data: Data, preload?: string, cause?: string): Answer {
    switch (kind) {
      case "promise.get":
        return this.#get(data);
      case "promise.create":
        return ok({ promise: this.#create(data) });
      case "promise.settle":
        return this.#settle(data);
      case "promise.register_callback":
        return this.#registerCallback(data);
      case "promise.register_listener":
        return this.#registerListener(data);
      case "promise.search":
        return this.#searchPromises(data);
      case "task.get":
        return this.#live(data.id) ? ok({ task: this.#showTask(data.id) }) : { status: 404 };
      case "task.create":
        return this.#taskCreate(data, preload);
      case "task.acquire":
        return this.#acquire(data, preload);
      case "task.fence":
        return this.#fence(data, preload);
      case "task.heartbeat":
        return this.#heartbeat(data);
      case "task.suspend":
        return this.#suspend(data, preload);
      case "task.fulfill":
        return this.#fulfill(data);
      case "task.release":
        return this.#release(data, cause);
      case "task.halt":
        return this.#halt(data, cause);
      case "task.continue":
        return this.#continue(data);
      case "task.search":
        return this.#searchTasks(data);
      case "schedule.create":
        return this.#scheduleCreate(data);
      case "schedule.get":
        return this.#onSchedule(data, (schedule) => ok({ schedule: { ...schedule } }));
      case "schedule.delete":
        return this.#onSchedule(data, ({ id }) => {
          this.schedules.delete(id);
          return ok({});
        });
      case "schedule.search":
        return this.#searchSchedules(data);
      case "worker.announce": {
        const { group, pid } = Oracle.CONNECTED;
        return data.group === group && data.pid === pid ? ok({}) : { status: 409 };
      }
      default:
        throw new Error(`the oracle does not know ${kind}`);
    }
  }

  /** Does what is due: deadlines, then those who wait for them, retries and leases, notices, schedules. */
  tick(): void {
    const dead = [...this.promises.values()].filter(
      (promise) =>
        promise.state === "pending" && external(promise) && promise.timeoutAt <= this.now,
    );
    for (const promise of dead) this.#fix(promise, verdict(promise), {}, promise.timeoutAt);
    for (const promise of dead) this.#discharge(promise);
    for (const task of this.tasks.values()) {
      const over = (at: number | undefined) => at !== undefined && at <= this.now;
      if (over(task.leaseAt)) task.failures = (task.failures ?? 0) + 1;
      if (over(task.retryAt) || over(task.leaseAt)) this.#offer(task);
    }
    for (const [key, notice] of this.#notices) {
      if (notice.nextAt > this.now) continue;
      const settledAt = this.promises.get(notice.id)?.settledAt ?? never();
      if (this.now - settledAt > NOTICE_MS_MAX) this.#notices.delete(key);
      else this.#notify(notice);
    }
    for (const schedule of this.schedules.values()) this.#fire(schedule);
  }

  /** What has been sent since the last time, sorted. An offer that no longer holds was never sent. */
  takeMessages(): string[] {
    const executes = [...this.#executes].filter(([id]) => this.tasks.get(id)?.state === "pending");
    const sent = [...executes.map(([, message]) => message), ...this.#others];
    this.#executes = new Map();
    this.#others = [];
    return sent.sort();
  }

  /** The notices sent last have arrived, or (`false`) not. */
  delivered(arrived: boolean): void {
    for (const [key, notice] of this.#notices) {
      if (notice.sent && arrived) this.#notices.delete(key);
      notice.sent = false;
    }
  }

  /** What has to be stored of an id: not projected, with the instants at which the server must act. */
  stored(id: string): object {
    const promise = this.promises.get(id);
    const task = this.tasks.get(id);
    const waits = promise?.state === "pending" && external(promise);
    const notices = [...this.#notices.values()].filter((notice) => notice.id === id);
    const { callbacks = [], listeners = [], ...record } = promise ?? {};
    const { resumes, heard = [], leaseAt, retryAt, ...rest } = task ?? {};
    return {
      ...(promise && { promise: { ...record, dueAt: waits ? promise.timeoutAt : undefined } }),
      ...(task && { task: { ...rest, resumes: resumes?.size, dueAt: leaseAt ?? retryAt } }),
      callbacks: [...callbacks].sort(),
      listeners: [...listeners].sort(),
      resumedBy: task?.state === "fulfilled" ? [] : [...heard].sort(),
      notices: notices.map(({ address, nextAt }) => `${address} at ${nextAt}`).sort(),
    };
  }

  // Views.

  #showPromise(promise: Promised): object {
    const { callbacks: _, listeners: __, settledAt, ...record } = promise;
    if (promise.state !== "pending") return { ...record, settledAt };
    if (this.now < promise.timeoutAt) return record;
    return { ...record, state: verdict(promise), settledAt: promise.timeoutAt };
  }

  #showTask(id: string): object {
    const { state, version, resumes, pid, ttl, failures, cause } = this.#live(id) ?? never();
    if (this.#settled(id)) return { id, state: "fulfilled", version, resumes: 0 };
    const holder = state === "acquired" ? { pid, ttl } : {};
    return { id, state, version, resumes: resumes.size, failures, cause, ...holder };
  }

  /** Whether the promise is settled, seen as of now. */
  #settled(id: string): boolean {
    const promise = this.promises.get(id) ?? never();
    return promise.state !== "pending" || promise.timeoutAt <= this.now;
  }

  #live(id: string): Tasked | undefined {
    return this.tasks.get(id);
  }

  #preload(id: string, wanted: string | undefined, heard: Set<string>): object[] {
    const branch = this.promises.get(id)?.tags["resonate:branch"];
    const found = [...this.promises.values()].filter((promise) => {
      if (wanted === "none") return false;
      if (wanted === "delta") return heard.has(promise.id);
      return branch && promise.id !== id && promise.tags["resonate:branch"] === branch;
    });
    return this.#byId(found);
  }

  #byId(promises: readonly Promised[]): object[] {
    const sorted = [...new Set(promises)].sort((a, b) => (a.id < b.id ? -1 : 1));
    return sorted.map((promise) => this.#showPromise(promise));
  }

  // Promises.

  #get({ id }: Data): Answer {
    const promise = this.promises.get(id);
    return promise ? ok({ promise: this.#showPromise(promise) }) : { status: 404 };
  }

  #create(data: Data, claim?: { pid: string; ttl: number }, bornAt?: number): object {
    const existing = this.promises.get(data.id);
    if (existing) return this.#showPromise(existing);
    const { id, timeoutAt, param = {}, tags = {} } = data;
    const dead = timeoutAt <= this.now;
    const promise: Promised = {
      id,
      state: dead ? verdict({ tags }) : "pending",
      param,
      value: {},
      tags,
      timeoutAt,
      createdAt: bornAt ?? (dead ? timeoutAt : this.now),
      settledAt: dead ? timeoutAt : undefined,
      callbacks: new Set(),
      listeners: new Set(),
    };
    this.promises.set(id, promise);
    if (tags[TARGET] !== undefined) this.#bear(promise, dead, claim);
    return this.#showPromise(promise);
  }

  #bear({ id, tags }: Promised, dead: boolean, claim?: { pid: string; ttl: number }): void {
    const task: Tasked = {
      id,
      state: dead ? "fulfilled" : "pending",
      version: 0,
      resumes: new Set(),
      heard: new Set(),
      pid: undefined,
      ttl: undefined,
      leaseAt: undefined,
      retryAt: undefined,
      failures: undefined,
      cause: undefined,
    };
    this.tasks.set(id, task);
    if (dead) return;
    const delay = Number(tags["resonate:delay"] ?? 0);
    if (claim) this.#claim(task, claim);
    else if (delay > this.now) task.retryAt = delay;
    else this.#offer(task);
  }

  #settle({ id, state, value = {} }: Data, by?: "holder"): Answer {
    const promise = this.promises.get(id);
    if (!promise) return { status: 404 };
    if (!this.#settled(id)) {
      this.#fix(promise, state, value, this.now, by);
      this.#discharge(promise);
    }
    return ok({ promise: this.#showPromise(promise) });
  }

  /** Fixes the verdict. Whoever holds the claim is told, unless it is who says so. */
  #fix(promise: Promised, state: string, value: object, at: number, by?: "holder"): void {
    promise.state = state;
    promise.value = value;
    promise.settledAt = at;
    const task = this.tasks.get(promise.id);
    if (!task) return;
    if (task.state === "acquired" && by !== "holder") {
      this.#others.push(`revoke ${promise.id} ${state} from ${task.pid}`);
    }
    clear(task, "fulfilled");
    forgive(task);
    task.resumes = new Set();
  }

  #discharge(promise: Promised): void {
    for (const awaiter of promise.callbacks) this.#resume(awaiter, promise.id);
    for (const address of promise.listeners) {
      const notice = { id: promise.id, address, nextAt: 0, sent: false };
      this.#notices.set(`${promise.id} ${address}`, notice);
      this.#notify(notice);
    }
    promise.callbacks.clear();
    promise.listeners.clear();
  }

  /** Sends a notice; the next time after as long as it is old, but after a second and before the retry time-out. */
  #notify(notice: Notice): void {
    const { state, settledAt } = this.promises.get(notice.id) ?? never();
    const age = this.now - (settledAt ?? never());
    notice.nextAt = this.now + Math.min(Math.max(age, 1_000), RETRY_MS);
    notice.sent = true;
    this.#others.push(`unblock ${notice.id} ${state} to ${notice.address}`);
  }

  #resume(awaiter: string, awaited: string): void {
    const task = this.tasks.get(awaiter) ?? never();
    if (this.#settled(awaiter)) return;
    task.heard.add(awaited);
    if (task.state === "suspended") {
      task.resumes = new Set([awaited]);
      this.#offer(task);
    } else {
      task.resumes.add(awaited);
    }
  }

  #registerCallback({ awaited, awaiter }: Data): Answer {
    const promise = this.promises.get(awaited);
    const waiting = this.promises.get(awaiter);
    if (!promise) return { status: 404 };
    if (waiting?.tags[TARGET] === undefined || !external(promise)) return { status: 422 };
    if (!this.#settled(awaited) && !this.#settled(awaiter)) promise.callbacks.add(awaiter);
    return ok({ promise: this.#showPromise(promise) });
  }

  #registerListener({ awaited, address }: Data): Answer {
    const promise = this.promises.get(awaited);
    if (!promise) return { status: 404 };
    if (!external(promise)) return { status: 422 };
    if (!this.#settled(awaited)) promise.listeners.add(address);
    return ok({ promise: this.#showPromise(promise) });
  }

  #searchPromises({ state, tags, limit = 100 }: Data): Answer {
    const wanted = Object.entries<string>(tags ?? {});
    const found = this.#byId(
      [...this.promises.values()].filter((promise) =>
        wanted.every(([name, value]) => promise.tags[name] === value),
      ),
    ).filter((record) => state == null || (record as Promised).state === state);
    return ok({ promises: found.slice(0, limit) });
  }

  // Tasks.

  #offer(task: Tasked): void {
    clear(task, "pending");
    const { tags, timeoutAt } = this.promises.get(task.id) ?? never();
    if (tags[TIMER] === "true") {
      task.retryAt = timeoutAt;
      return;
    }
    task.retryAt = this.now + RETRY_MS;
    this.#executes.set(task.id, `execute ${task.id} ${task.version} to ${tags[TARGET]}`);
  }

  #claim(task: Tasked, { pid, ttl }: { pid: string; ttl: number }): void {
    clear(task, "acquired");
    task.version++;
    task.resumes = new Set();
    task.heard = new Set();
    task.pid = pid;
    task.ttl = ttl;
    task.leaseAt = this.now + ttl;
  }

  #claimed(id: string, preload: string | undefined, heard: Set<string>): Answer {
    const promise = this.#showPromise(this.promises.get(id) ?? never());
    const fulfilled = this.#settled(id);
    return ok({
      task: this.#showTask(id),
      promise,
      preload: fulfilled ? [] : this.#preload(id, preload, heard),
    });
  }

  #taskCreate({ pid, ttl, action }: Data, preload?: string): Answer {
    const { id } = action.data;
    if (!this.promises.has(id)) {
      this.#create(action.data, { pid, ttl });
      return this.#claimed(id, preload, new Set());
    }
    const task = this.tasks.get(id);
    if (!task) return { status: 422 };
    if (this.#settled(id)) return this.#claimed(id, preload, new Set());
    if (task.state !== "pending") return { status: 409 };
    const { heard } = task;
    this.#claim(task, { pid, ttl });
    return this.#claimed(id, preload, heard);
  }

  #acquire({ id, version, pid, ttl }: Data, preload?: string): Answer {
    const task = this.tasks.get(id);
    if (!task) return { status: 404 };
    if (this.#settled(id) || task.state !== "pending" || task.version !== version) {
      return { status: 409 };
    }
    const { heard } = task;
    this.#claim(task, { pid, ttl });
    return this.#claimed(id, preload, heard);
  }

  /** The task if this is its claim, or the refusal. */
  #held({ id, version }: Data): Tasked | Answer {
    const task = this.tasks.get(id);
    if (!task) return { status: 404 };
    const held = task.state === "acquired" && task.version === version && !this.#settled(id);
    return held ? task : { status: 409 };
  }

  #fence(data: Data, preload?: string): Answer {
    const task = this.#held(data);
    if ("status" in task) return task;
    const { kind } = data.action;
    // The delta is of what came before; what this very fence settles comes with the next one.
    const heard = new Set(task.heard);
    const before = this.#unsettled();
    const inner = this.ask(kind, data.action.data);
    const next =
      data.then && isAsAsked(data.action.data, inner)
        ? this.ask("promise.create", data.then.data)
        : undefined;
    // Whoever has recorded something has got on.
    if (this.#unsettled() !== before) forgive(task);
    return ok({
      action: enveloped(kind, inner),
      ...(next && { [NEXT]: enveloped("promise.create", next) }),
      preload: this.#preload(task.id, preload, heard),
    });
  }

  /** Another text after anything was created or settled. */
  #unsettled(): string {
    const pending = [...this.promises.values()].filter(({ state }) => state === "pending");
    return `${this.promises.size} ${pending.length}`;
  }

  #heartbeat({ pid, tasks }: Data): Answer {
    for (const claim of tasks) {
      const task = this.#held(claim);
      if (!("status" in task) && task.pid === pid) task.leaseAt = this.now + (task.ttl ?? never());
    }
    return ok({});
  }

  #suspend(data: Data, preload?: string): Answer {
    const task = this.#held(data);
    if ("status" in task) return task;
    const awaited = data.actions.map((action: Data) => this.promises.get(action.data.awaited));
    if (awaited.some((promise: Promised | undefined) => !promise || !external(promise))) {
      return { status: 422 };
    }
    const settled = awaited.filter((promise: Promised) => this.#settled(promise.id));
    const unshown = preload === "delta" && task.resumes.size > 0;
    if (settled.length > 0 || unshown) {
      const branch = this.#preload(task.id, preload, task.heard) as Promised[];
      const known = new Set(branch.map(({ id }) => id));
      const more = this.#byId(settled.filter(({ id }: Promised) => !known.has(id))) as Promised[];
      task.resumes = new Set();
      if (preload === "delta") task.heard = new Set();
      const shown = [...branch, ...more].sort((a, b) => (a.id < b.id ? -1 : 1));
      return { status: 300, data: { preload: shown } };
    }
    for (const promise of awaited) promise.callbacks.add(task.id);
    clear(task, "suspended");
    forgive(task);
    task.resumes = new Set();
    const waits = ({ id }: Promised) => this.tasks.get(id)?.state === "suspended";
    if (awaited.every(waits)) this.#others.push(`tangled ${task.id}`);
    return ok({});
  }

  #fulfill(data: Data): Answer {
    const task = this.#held(data);
    return "status" in task ? task : this.#settle(data.action.data, "holder");
  }

  #release(data: Data, cause: string | undefined): Answer {
    const task = this.#held(data);
    if ("status" in task) return task;
    if (cause !== undefined) {
      task.failures = (task.failures ?? 0) + 1;
      task.cause = cause;
    }
    this.#offer(task);
    return ok({});
  }

  #halt({ id }: Data, cause: string | undefined): Answer {
    const task = this.tasks.get(id);
    if (!task) return { status: 404 };
    if (this.#settled(id)) return { status: 409 };
    // Whoever halts what is halted already is not the reason.
    if (task.state !== "halted") task.cause = cause ?? task.cause;
    clear(task, "halted");
    return ok({});
  }

  #continue({ id }: Data): Answer {
    const task = this.tasks.get(id);
    if (!task) return { status: 404 };
    if (task.state !== "halted" || this.#settled(id)) return { status: 409 };
    forgive(task);
    this.#offer(task);
    return ok({});
  }

  #searchTasks({ state, limit = 100 }: Data): Answer {
    const shown = [...this.tasks.keys()].sort().map((id) => this.#showTask(id) as Tasked);
    const found = shown.filter((task) => state == null || task.state === state);
    return ok({ tasks: found.slice(0, limit) });
  }

  // Schedules.

  #scheduleCreate(data: Data): Answer {
    const existing = this.schedules.get(data.id);
    if (existing) return ok({ schedule: { ...existing } });
    const { promiseParam = {}, ...given } = data;
    const nextRunAt = nextAfter(data.cron, this.now);
    const schedule = { ...given, promiseParam, createdAt: this.now, nextRunAt };
    this.schedules.set(data.id, schedule);
    return ok({ schedule: { ...schedule } });
  }

  #onSchedule({ id }: Data, answer: (schedule: Scheduled) => Answer): Answer {
    const schedule = this.schedules.get(id);
    return schedule ? answer(schedule) : { status: 404 };
  }

  #searchSchedules({ tags, limit = 10 }: Data): Answer {
    const wanted = Object.entries(tags ?? {});
    const found = [...this.schedules.values()].filter(({ promiseTags }) =>
      wanted.every(([name, value]) => promiseTags[name] === value),
    );
    found.sort((a, b) => (a.id < b.id ? -1 : 1));
    return ok({ schedules: found.slice(0, limit).map((schedule) => ({ ...schedule })) });
  }

  /** Every occurrence that has come, in order. */
  #fire(schedule: Scheduled): void {
    while (schedule.nextRunAt <= this.now) {
      const at = schedule.nextRunAt;
      const id = schedule.promiseId
        .split("{{.id}}")
        .join(schedule.id)
        .split("{{.timestamp}}")
        .join(`${at}`);
      const lineage = { "resonate:origin": id, "resonate:branch": id, "resonate:parent": id };
      const tags = { ...schedule.promiseTags, "resonate:schedule": schedule.id, ...lineage };
      const { promiseParam: param, promiseTimeout } = schedule;
      const given = { id, timeoutAt: at + promiseTimeout, param, tags };
      if (!this.promises.has(id)) this.#create(given, undefined, at);
      schedule.lastRunAt = at;
      schedule.nextRunAt = nextAfter(schedule.cron, at);
    }
  }
}

/** The name that a fence's second action has on the wire. */
const NEXT = "then";

/** Whether a settled promise says what was asked for, be it since now or since before. */
function isAsAsked({ state, value = {} }: Data, { data }: Answer): boolean {
  return data?.promise.state === state && data.promise.value.data === value.data;
}

function enveloped(kind: string, { status, data = "text" }: Answer): object {
  return { kind, head: { corrId: "c", status, version: "2026-04-01" }, data };
}

function ok(data: object): Answer {
  return { status: 200, data };
}

function verdict({ tags }: { readonly tags: Tags }): string {
  return tags[TIMER] === "true" ? "resolved" : "rejected_timedout";
}

function external({ tags }: Promised): boolean {
  return (
    tags["resonate:scope"] === "global" ||
    tags["resonate:external"] === "true" ||
    tags[TARGET] !== undefined ||
    tags[TIMER] === "true"
  );
}

/** Into another state, with nothing left of what only the old one had. */
function clear(task: Tasked, state: string): void {
  task.state = state;
  task.pid = undefined;
  task.ttl = undefined;
  task.leaseAt = undefined;
  task.retryAt = undefined;
}

/** The claims that ended without a verdict count no more. */
function forgive(task: Tasked): void {
  task.failures = undefined;
  task.cause = undefined;
}

function never(): never {
  throw new Error("the oracle is wrong");
}
