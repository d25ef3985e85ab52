/**
 * The engine: what is asked of it, what falls due, and what follows from what was committed.
 *
 * I1. Nothing of a transaction leaves the engine (answers, messages) before the transaction is durable.
 */
import {
  type ClaimedTask,
  PROTOCOL_VERSION,
  type PromiseRecord,
  type Refusal,
  type Request,
  type Response,
} from "@resonate-ts/protocol";
import type { Change, Outgoing } from "../core/records.ts";
import type { Step } from "../core/step.ts";
import {
  type Pending,
  type Settled,
  type Sharing,
  type Store,
  StoreUnavailableError,
} from "../stores/store.ts";
import { Alarm, dueAt } from "./alarm.ts";
import { AwaitCycles } from "./await-cycles.ts";
import { Commits, type Performed } from "./commits.ts";
import { committedBy } from "./committed.ts";
import { Delivered } from "./delivered.ts";
import { PushDelivery, Router } from "./delivery.ts";
import { Departures } from "./departures.ts";
import { Dispatcher, OFFERS_MAX } from "./dispatcher.ts";
import type { Connection, Engine } from "./engine.ts";
import { acquisition, type Executed, execute } from "./execute.ts";
import { answerMixed, hear, hearAnswers, isSearch, isStep, refusals } from "./hearing.ts";
import { type Inside, insideOf } from "./inside.ts";
import { polledAt } from "./offers.ts";
import type { GroupCommitOptions } from "./options.ts";
import { Peers } from "./peers.ts";
import { Releases } from "./releases.ts";
import { type Budgeted, ReplyBudget } from "./reply-budget.ts";
import { Retention } from "./retention.ts";
import { Twins } from "./twins.ts";

/** Most due steps of one commit. */
const DUE_STEPS_MAX = 1_000;
/** Most pending tasks that are read at once, to offer those that could not be remembered. */
const REFILL_MAX = 10_000;
/** How often unanswered offers are looked for, in ms. */
const SWEEP_MS = 1_000;
/** How long due steps that could not be taken (a full disk, say) wait for the next try, in ms. */
const DUE_RETRY_MS = 1_000;
/** Most that a server waits for another one to take what is due, in ms. */
const OTHERS_FIRST_MS_MAX = 100;

export class GroupCommitEngine implements Engine {
  readonly failed: Promise<never>;
  readonly inside: Inside;
  readonly #options: GroupCommitOptions;
  readonly #dispatcher: Dispatcher;
  readonly #router: Router;
  readonly #departures: Departures;
  readonly #releases: Releases;
  readonly #peers: Peers | undefined;
  readonly #twins: Twins;
  readonly #cycles: AwaitCycles;
  readonly #commits: Commits;
  /** Searches have transactions of their own where the store can have them beside the others. */
  readonly #searches: Commits;
  #state: "open" | "closing" | "failed" = "open";
  #closed: Promise<void> | undefined;
  #fail: (error: unknown) => void = () => {};
  readonly #alarm: Alarm;
  readonly #cancels = new Set<() => void>();
  readonly #delivered: Delivered;
  /** How much later this server is than another one at what both know of, in ms: so that not all try at once. */
  readonly #othersFirstMs: number;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    const { serverUrl, push, store } = options;
    this.#othersFirstMs = store.sharing ? Math.floor(Math.random() * OTHERS_FIRST_MS_MAX) : 0;
    this.#dispatcher = new Dispatcher({
      serverUrl,
      shared: store.sharing !== undefined,
      now: () => options.clock.now(),
      claim: (task, claimant, told) => {
        this.#attempt(async () => {
          const [answer] = await this.#commits.submit([acquisition(task, claimant)]);
          if (answer?.head.status === 409) this.#dispatcher.taken(task);
          if (answer?.head.status !== 200) return told.unclaimed();
          // An acquire is answered so.
          told.assigned({ claimant, claimed: answer.data as ClaimedTask });
        });
      },
      takeBack: (claim) => {
        const data = { ...claim, lost: true, untouched: true };
        this.#attempt(() => this.#insist([{ kind: "task.expire", data }]));
      },
      refill: () => {
        if (this.#peers) this.#peers.lookSoon();
        else this.#attempt(() => this.#offerPending(REFILL_MAX));
      },
    });
    this.inside = insideOf(options, () => this.#dispatcher.census());
    const pushDelivery = push && new PushDelivery(push, serverUrl);
    this.#router = new Router({ poll: this.#dispatcher, push: pushDelivery });
    this.#peers = store.sharing && this.#peersBy(store.sharing);
    this.#releases = new Releases({
      store,
      present: (pid) => this.#dispatcher.connected(pid) || this.#dispatcher.holds(pid),
      connected: async (place) =>
        this.#dispatcher.connected(place.id, place.group) ||
        (await this.#peers?.elsewhere(place)) === true,
      insist: (steps) => this.#insist(steps),
    });
    this.#departures = new Departures(options.clock, (place) =>
      this.#attempt(() => this.#releases.lost(place)),
    );
    this.#delivered = new Delivered({
      after: (ms, work) => this.#after(ms, work),
      insist: (steps) => this.#insist(steps),
    });
    this.#twins = new Twins(options.logger);
    this.#cycles = new AwaitCycles(options, (steps) => this.#insist(steps));
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
    const aside = store.aside?.bind(store);
    this.#searches = aside
      ? new Commits({
          perform: (steps) => this.#perform(steps, { transaction: aside }),
          takeDue: async () => {},
          failed: (error) => this.#failed(error),
          logger: options.logger,
        })
      : this.#commits;
    this.#alarm = new Alarm(options.clock, () => this.#commits.wake());
    this.#sweepLater();
  }

  /** Takes up what an earlier process left: offers, claims of those who are gone, and all that fell due. */
  async start(): Promise<void> {
    const { store, clock, logger, restartGraceMs, retentionAgeMs: ageMs } = this.#options;
    if (this.#peers) this.#peers.start();
    else {
      if (restartGraceMs === 0) await this.#releases.all();
      else this.#after(restartGraceMs, () => this.#releases.missing());
      await this.#offerPending(OFFERS_MAX);
    }
    this.#alarm.wakeAt(clock.now());
    const take = (steps: readonly Step[]) => this.#commits.submit(steps);
    const after = this.#after.bind(this);
    if (ageMs !== undefined) new Retention({ store, clock, ageMs, take, after, logger }).start();
  }

  /** Offers pending tasks to those who poll. Those who are called are called when their offer is due. */
  async #offerPending(limit: number): Promise<void> {
    for (const pending of await this.#options.store.pending(limit)) this.#offerOne(pending);
  }

  #offerOne(pending: Pending): void {
    const address = polledAt(pending, this.#options.clock.now());
    if (address) this.#dispatcher.offer({ ...pending.task, promise: pending.promise }, address);
  }

  #peersBy(sharing: Sharing): Peers {
    const { clock, logger } = this.#options;
    return new Peers({
      sharing,
      logger,
      now: () => clock.now(),
      after: (ms, work) => this.#after(ms, work),
      here: this.#dispatcher,
      offer: (pending) => this.#offerOne(pending),
      notify: (promise, address) => this.#notify(promise, address),
      tell: (settled) => this.#tell(settled),
      abandoned: (place) => this.#releases.lost(place),
      due: (at) => this.#alarm.wakeAt(Math.max(at, clock.now()) + this.#othersFirstMs),
    });
  }

  /** Somebody who may be here is to hear of a promise that another server settled. */
  async #tell({ id, to }: Settled): Promise<void> {
    if (!("pid" in to ? this.#dispatcher.connected(to.pid) : this.#dispatcher.reaches(to.address)))
      return;
    const head = { corrId: "settled", version: PROTOCOL_VERSION };
    const [answer] = await this.#commits.submit([{ kind: "promise.get", head, data: { id } }]);
    if (answer?.head.status !== 200) return;
    const { promise } = answer.data as { promise: PromiseRecord }; // A get is answered so.
    if ("pid" in to) this.#dispatcher.revoke(promise, to.pid);
    else this.#notify(promise, to.address);
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
    if (this.#commits.full(requests)) {
      return Promise.resolve(refusals(requests, 503, "The server is overloaded; try again"));
    }
    if (this.#dispatcher.awaitsWord)
      for (const request of requests) hear(request, this.#dispatcher);
    if (!requests.every(isStep)) {
      return answerMixed(requests, this.#dispatcher, (steps) =>
        this.#commits.submit(this.#budgeted(steps)),
      );
    }
    const lane = requests.every(isSearch) ? this.#searches : this.#commits;
    const answers = lane.submit(this.#budgeted(requests));
    if (this.#peers) answers.then((all) => hearAnswers(requests, all, this.#dispatcher));
    return answers;
  }

  /** One budget for the answers to all of them. */
  #budgeted(steps: readonly Step[]): readonly Budgeted[] {
    const budget = new ReplyBudget(this.#options.replyBytesMax);
    return steps.map((step) => ({ ...step, budget }));
  }

  connect(connection: Connection): () => void {
    const { id, group, incarnation } = connection;
    const twin = this.#twins.connects(connection);
    const before =
      this.#dispatcher.incarnationOf(connection) ?? this.#departures.incarnationOf(connection);
    this.#departures.back(connection);
    this.#dispatcher.open(connection);
    // Another run of that process: whoever held the claims has ended.
    const succeeds = before !== undefined && incarnation !== undefined && before !== incarnation;
    if (succeeds && !twin) this.#attempt(() => this.#releases.of(connection));
    this.#peers?.lookSoon();
    return () => {
      this.#peers?.lookSoon();
      const left = this.#dispatcher.close(connection) && !this.#dispatcher.connected(id, group);
      if (left && this.#state === "open") this.#departures.left(connection);
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
    await this.#searches.finish();
    await this.#commits.finish();
    await this.#options.store.close();
  }

  async #perform(
    steps: readonly Budgeted[],
    store: Pick<Store, "transaction"> = this.#options.store,
  ): Promise<Performed> {
    const { clock, settings, observer } = this.#options;
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
        if (!this.#router.offer({ ...task, promise }, address)) this.#peers?.offer(address);
        return;
      }
      case "unblock": {
        const { promise, address } = message;
        if (!this.#notify(promise, address)) this.#peers?.tell({ id: promise.id, to: { address } });
        return;
      }
      case "tangled":
        this.#attempt(() => this.#cycles.look(message.id));
        return;
      case "revoke": {
        const { promise, pid } = message;
        const told = this.#dispatcher.revoke(promise, pid);
        if (!told) this.#peers?.tell({ id: promise.id, to: { pid } });
      }
    }
  }

  #notify(promise: PromiseRecord, address: string): boolean {
    const notice = { awaited: promise.id, address };
    const taken = () => this.#delivered.note(notice);
    return this.#delivered.has(notice) || this.#router.notify(promise, address, taken);
  }

  async #takeDue(): Promise<void> {
    const { store, clock } = this.#options;
    const found = await store.due(clock.now(), DUE_STEPS_MAX).catch(unlessUnavailable);
    if (!found) return this.#alarm.wakeAt(clock.now() + DUE_RETRY_MS);
    const { steps, nextAt } = found;
    const answers = steps.length > 0 ? await this.#commits.take(steps) : [];
    // A step of the server's own has an answer only when it could not be taken.
    const failed = answers.some((answer) => answer !== undefined);
    if (failed) this.#alarm.wakeAt(clock.now() + DUE_RETRY_MS);
    else if (nextAt !== undefined) this.#alarm.wakeAt(nextAt + this.#othersFirstMs);
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

  /** Work that nobody waits for. When it fails for good the store cannot be read, and the engine is of no use. */
  #attempt(work: () => Promise<void>): void {
    if (this.#state !== "open") return;
    work().catch((error) => {
      if (error instanceof StoreUnavailableError) return this.#after(DUE_RETRY_MS, work);
      // Once it is closed the store cannot be read, and nobody needs to.
      if (this.#state === "open") this.#commits.stop(error);
    });
  }
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailableError)) throw error;
}
