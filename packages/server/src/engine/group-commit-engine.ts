/**
 * The engine: what is asked of it, what falls due, and what follows from what was committed.
 *
 * I1. Nothing of a transaction leaves the engine (answers, messages) before the transaction is durable.
 */
import {
  type Claim,
  type ClaimedTask,
  PROTOCOL_VERSION,
  type PromiseRecord,
  parseAddress,
  type Refusal,
  type Request,
  type RequestData,
  type RequestKind,
  type Response,
} from "@resonate-ts/protocol";
import { standingOffer } from "../core/offer.ts";
import type { Change, Outgoing, StoredTask } from "../core/records.ts";
import type { CoreSettings, Step } from "../core/step.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../stores/store.ts";
import type { Pusher } from "../transports/router.ts";
import { Alarm, dueAt } from "./alarm.ts";
import type { Clock } from "./clock.ts";
import { Commits, type Performed } from "./commits.ts";
import { committedBy } from "./committed.ts";
import { PushDelivery, Router } from "./delivery.ts";
import { Departures } from "./departures.ts";
import { Dispatcher, OFFERS_MAX } from "./dispatcher.ts";
import type { Connection, Engine, Observer } from "./engine.ts";
import { acquisition, type Executed, execute } from "./execute.ts";
import { type Budgeted, ReplyBudget } from "./reply-budget.ts";
import { Retention } from "./retention.ts";
import { Twins } from "./twins.ts";

/** Most requests that may wait. Beyond it they are refused with 503 and nothing is lost. */
const WAITING_MAX = 100_000;
/** Most due steps of one commit. */
const DUE_STEPS_MAX = 1_000;
/** Most claims that are taken from lost processes at once; the others' leases run out by themselves. */
const HELD_MAX = 100_000;
/** Most pending tasks that are read at once, to offer those that could not be remembered. */
const REFILL_MAX = 10_000;
/** How often unanswered offers are looked for, in ms. */
const SWEEP_MS = 1_000;
/** How long due steps that could not be taken (a full disk, say) wait for the next try, in ms. */
const DUE_RETRY_MS = 1_000;
/** How long the notes of delivered notices are gathered, in ms, to share a commit. */
const NOTED_DELAY_MS = 50;

export interface GroupCommitOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: CoreSettings;
  readonly serverUrl: string | undefined;
  /** Brings messages to `http://` and `https://` addresses. Without it they are not brought there. */
  readonly push?: Pusher | undefined;
  readonly logger: Logger;
  /**
   * How long those who held claims when the last process ended may take to come back, in ms. With 0 all claims
   * are free at once: right when they were held by that very process.
   */
  readonly restartGraceMs: number;
  /** How long ago a tree must have ended to be forgotten, in ms. Absent: nothing is. */
  readonly retentionAgeMs?: number | undefined;
  readonly observer?: Observer | undefined;
  /** Default 8 MiB. */
  readonly replyBytesMax?: number | undefined;
}

export class GroupCommitEngine implements Engine {
  readonly failed: Promise<never>;
  readonly #options: GroupCommitOptions;
  readonly #dispatcher: Dispatcher;
  readonly #router: Router;
  readonly #departures: Departures;
  readonly #twins: Twins;
  readonly #commits: Commits;
  #state: "open" | "closing" | "failed" = "open";
  #closed: Promise<void> | undefined;
  #fail: (error: unknown) => void = () => {};
  readonly #alarm: Alarm;
  readonly #cancels = new Set<() => void>();
  #noted: Step[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    const { serverUrl, push } = options;
    this.#dispatcher = new Dispatcher({
      serverUrl,
      now: () => options.clock.now(),
      claim: (task, claimant, told) => {
        this.#attempt(async () => {
          const [answer] = await this.#commits.submit([acquisition(task, claimant)]);
          if (answer?.head.status !== 200) return told.unclaimed();
          // An acquire is answered so.
          told.assigned({ claimant, claimed: answer.data as ClaimedTask });
        });
      },
      takeBack: (claim) => {
        const data = { ...claim, lost: true, untouched: true };
        this.#attempt(() => this.#insist([{ kind: "task.expire", data }]));
      },
      refill: () => this.#attempt(() => this.#offerPending(REFILL_MAX)),
    });
    const pushDelivery = push && new PushDelivery(push, serverUrl);
    this.#router = new Router({ poll: this.#dispatcher, push: pushDelivery });
    this.#departures = new Departures(options.clock, (pid) =>
      this.#attempt(() => this.#releaseLost(pid)),
    );
    this.#twins = new Twins(options.logger);
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {}); // Whoever needs to know has its own handler.
    this.#commits = new Commits({
      perform: (steps) => this.#perform(steps),
      takeDue: () => this.#takeDue(),
      failed: (error) => this.#failed(error),
      logger: options.logger,
    });
    this.#alarm = new Alarm(options.clock, () => this.#commits.wake());
    this.#sweepLater();
  }

  /** Takes up what an earlier process left: offers, claims of those who are gone, and all that fell due. */
  async start(): Promise<void> {
    const { store, clock, logger, restartGraceMs, retentionAgeMs: ageMs } = this.#options;
    if (restartGraceMs === 0) await this.#release(() => true);
    else this.#after(restartGraceMs, () => this.#releaseMissing());
    await this.#offerPending(OFFERS_MAX);
    this.#alarm.wakeAt(clock.now());
    const take = (steps: readonly Step[]) => this.#commits.submit(steps);
    const after = this.#after.bind(this);
    if (ageMs !== undefined) new Retention({ store, clock, ageMs, take, after, logger }).start();
  }

  /** Offers pending tasks to those who poll. Those who are called are called when their offer is due. */
  async #offerPending(limit: number): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.now();
    for (const { task, promise } of await store.pending(limit)) {
      const target = standingOffer(promise, now);
      const address = target === undefined ? undefined : parseAddress(target);
      if (address?.kind === "poll") this.#dispatcher.offer({ ...task, promise }, address);
    }
  }

  get connections(): number {
    return this.#dispatcher.connections;
  }

  get writable(): boolean {
    return this.#options.store.writable;
  }

  process(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]> {
    if (requests.length === 0) return Promise.resolve([]);
    if (this.#state !== "open") {
      return Promise.resolve(refusals(requests, 503, "The server is stopping"));
    }
    if (this.#commits.waiting + requests.length > WAITING_MAX) {
      return Promise.resolve(refusals(requests, 503, "The server is overloaded; try again"));
    }
    if (this.#dispatcher.awaitsWord) for (const request of requests) this.#hear(request);
    if (requests.every(isStep)) return this.#commits.submit(this.#budgeted(requests));
    return this.#processMixed(requests);
  }

  /** One budget for the answers to all of them. */
  #budgeted(steps: readonly Step[]): readonly Budgeted[] {
    const budget = new ReplyBudget(this.#options.replyBytesMax);
    return steps.map((step) => ({ ...step, budget }));
  }

  /** Requests of which some are no steps. */
  async #processMixed(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]> {
    const announced = requests.map((request) =>
      isStep(request) ? undefined : this.#announce(request),
    );
    const steps = requests.filter(isStep);
    const answers = (
      steps.length > 0 ? await this.#commits.submit(this.#budgeted(steps)) : []
    ).values();
    return requests.flatMap((_, at) => announced[at] ?? answers.next().value ?? []);
  }

  #announce({ kind, head: { corrId }, data }: Request): Response | Refusal {
    const announcement = data as RequestData["worker.announce"]; // The only kind that is no step.
    if (this.#dispatcher.announce(announcement))
      return { kind, head: { corrId, status: 200, version: PROTOCOL_VERSION }, data: {} };
    const { pid, group } = announcement;
    const message = `No stream of process '${pid}' in group '${group}' is open; announce after opening it`;
    return { kind, head: { corrId, status: 409, version: PROTOCOL_VERSION }, data: message };
  }

  /** Whoever acts under a claim has received it. */
  #hear({ kind, data }: Request): void {
    switch (kind) {
      case "task.fence":
      case "task.suspend":
      case "task.fulfill":
        this.#dispatcher.heard(data as Claim); // The data of these kinds names the claim.
        return;
      case "task.release":
        this.#dispatcher.declined(data as Claim); // As above.
        return;
      case "task.heartbeat":
        for (const claim of (data as RequestData["task.heartbeat"]).tasks) {
          this.#dispatcher.heard(claim);
        }
    }
  }

  connect(connection: Connection): () => void {
    const { id, incarnation } = connection;
    const twin = this.#twins.connects(connection);
    const before = this.#dispatcher.incarnationOf(connection) ?? this.#departures.incarnationOf(id);
    this.#departures.back(id);
    this.#dispatcher.open(connection);
    // Another run of that process: whoever held the claims has ended.
    const succeeds = before !== undefined && incarnation !== undefined && before !== incarnation;
    if (succeeds && !twin) this.#attempt(() => this.#release(({ pid }) => pid === id, { pid: id }));
    return () => {
      const left = this.#dispatcher.close(connection) && !this.#dispatcher.connected(id);
      if (left && this.#state === "open") this.#departures.left(id, connection);
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    this.#alarm.stop();
    this.#departures.stop();
    for (const cancel of this.#cancels) cancel();
    this.#dispatcher.closeAll();
    await this.#options.push?.close();
    await this.#commits.finish();
    await this.#options.store.close();
  }

  async #perform(steps: readonly Budgeted[]): Promise<Performed> {
    const { store, clock, settings, observer } = this.#options;
    const claims = this.#dispatcher.claims();
    const committed = observer?.committing(steps.length);
    try {
      const executed = await execute(store, steps, clock.now(), settings, claims);
      committed?.(committedBy(executed));
      const deliver = () => {
        this.#deliver(executed);
        claims.end();
      };
      return { answers: executed.answers, deliver };
    } catch (error) {
      claims.end();
      throw error;
    }
  }

  /** Only a new start can tell what is on the disk. */
  #failed(error: unknown): void {
    this.#state = "failed";
    this.#dispatcher.closeAll();
    this.#fail(error);
  }

  /** Keeps timers and offers in step with what has been written. */
  #follow(change: Change): void {
    if ("put" in change && change.put === "task") {
      this.#dispatcher.seen(change.record);
      this.#departures.claimed(change.record.pid);
    }
    this.#alarm.wakeAt(dueAt(change));
  }

  #deliver({ changes, messages, assignments }: Executed): void {
    for (const change of changes) this.#follow(change);
    for (const assignment of assignments) this.#dispatcher.assign(assignment);
    for (const message of messages) this.#send(message);
  }

  #send(message: Outgoing): void {
    switch (message.kind) {
      case "execute": {
        const { task, promise, address } = message;
        this.#router.offer({ ...task, promise }, address);
        return;
      }
      case "unblock":
        this.#notify(message.promise, message.address);
        return;
      case "revoke":
        this.#dispatcher.revoke(message.promise, message.pid);
    }
  }

  #notify(promise: PromiseRecord, address: string): void {
    this.#router.notify(promise, address, () => this.#note({ awaited: promise.id, address }));
  }

  /** Writes down that a notice was delivered, a little later: nobody waits for it. */
  #note(data: { readonly awaited: string; readonly address: string }): void {
    this.#noted.push({ kind: "promise.notified", data });
    if (this.#noted.length > 1) return;
    this.#after(NOTED_DELAY_MS, async () => {
      const steps = this.#noted;
      this.#noted = [];
      await this.#insist(steps);
    });
  }

  async #takeDue(): Promise<void> {
    const { store, clock } = this.#options;
    const { steps, nextAt } = await store.due(clock.now(), DUE_STEPS_MAX);
    const answers = steps.length > 0 ? await this.#commits.take(steps) : [];
    // A step of the server's own has an answer only when it could not be taken.
    const failed = answers.some((answer) => answer !== undefined);
    this.#alarm.wakeAt(failed ? clock.now() + DUE_RETRY_MS : nextAt);
  }

  /** Offers what a process holds to others, if it has not come back. */
  #releaseLost(pid: string): Promise<void> {
    return this.#release(() => !this.#dispatcher.connected(pid), { pid });
  }

  /** After a restart: offers what those hold who polled, as it seems, and of whom nothing has been heard since. */
  #releaseMissing(): Promise<void> {
    const isMissing = ({ pid = "" }: StoredTask) =>
      !this.#dispatcher.connected(pid) && !this.#dispatcher.holds(pid);
    return this.#release(isMissing, { onlyPolled: true });
  }

  async #release(
    isLost: (held: StoredTask) => boolean,
    { pid, onlyPolled = false }: { readonly pid?: string; readonly onlyPolled?: boolean } = {},
  ): Promise<void> {
    const held = await this.#options.store.heldBy(pid, HELD_MAX);
    const steps = held.filter(isLost).map(
      ({ id, version }): Step => ({
        kind: "task.expire",
        data: { id, version, lost: true, onlyPolled },
      }),
    );
    if (steps.length > 0) await this.#insist(steps);
  }

  /** Takes steps of the server's own, again after a while where the store could not. */
  async #insist(steps: readonly Step[]): Promise<void> {
    const answers = await this.#commits.submit(steps);
    // Such a step has an answer only when it could not be taken.
    const left = steps.filter((_, at) => answers[at] !== undefined);
    if (left.length > 0) this.#after(DUE_RETRY_MS, () => this.#insist(left));
  }

  #after(ms: number, work: () => Promise<void>, kind: "after" | "upkeep" = "after"): void {
    if (this.#state !== "open") return;
    const { clock } = this.#options;
    const cancel = (clock[kind] ?? clock.after).call(clock, ms, () => {
      this.#cancels.delete(cancel);
      this.#attempt(work);
    });
    this.#cancels.add(cancel);
  }

  #sweepLater(): void {
    const sweep = async () => {
      this.#sweepLater();
      this.#dispatcher.sweep();
    };
    this.#after(SWEEP_MS, sweep, "upkeep");
  }

  /** Work that nobody waits for. When it fails the store cannot be read, and the engine is of no use. */
  #attempt(work: () => Promise<void>): void {
    if (this.#state !== "open") return;
    work().catch((error) => {
      // Once it is closed the store cannot be read, and nobody needs to.
      if (this.#state === "open") this.#commits.stop(error);
    });
  }
}

function isStep(
  request: Request,
): request is Request<Exclude<RequestKind, "worker.announce">> & Step {
  return request.kind !== "worker.announce";
}

function refusals(requests: readonly Request[], status: number, message: string): Refusal[] {
  return requests.map(({ kind, head }) => ({
    kind,
    head: { corrId: head.corrId, status, version: PROTOCOL_VERSION },
    data: message,
  }));
}
