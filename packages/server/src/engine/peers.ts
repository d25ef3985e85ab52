/**
 * Other servers on the same store: what they leave for the workers that are connected here, and what this one leaves for
 * theirs.
 *
 * I1. What there is for workers here is found by a look, at least every `LOOK_MS`; hints only make it sooner.
 */
import { type PromiseRecord, parseAddress } from "@resonate-ts/protocol";
import { publicPromise } from "../core/replies.ts";
import type { Logger } from "../logger.ts";
import type { Hints, Pending, Place, Settled, Sharing, Sight } from "../stores/store.ts";

/** How often a server looks what there is for it, in ms. */
const LOOK_MS = 1_000;

/** Who is connected here. */
interface Here {
  places(): readonly Place[];
  groups(): readonly string[];
  /** Groups with a worker that has room for work. */
  wanting(): readonly string[];
}

interface PeersOptions {
  readonly sharing: Sharing;
  readonly now: () => number;
  readonly here: Here;
  readonly logger: Logger;
  /** Does `work` after so many ms, unless the engine has ended. */
  readonly after: (ms: number, work: () => Promise<void>) => void;
  /** Work for a worker that is here. */
  readonly offer: (pending: Pending) => void;
  /** A listener that may be here has not been told. */
  readonly notify: (promise: PromiseRecord, address: string) => void;
  /** Another server says that somebody who may be here is to hear of a promise. */
  readonly tell: (settled: Settled) => Promise<void>;
  /** Somebody whose server is gone. */
  readonly abandoned: (place: Place) => Promise<void>;
  /** Something falls due at `at`, and another server may not be there to take it. */
  readonly due: (at: number) => void;
}

export class Peers {
  readonly #options: PeersOptions;
  #looking = false;
  /** There is a reason to look again at once. */
  #again = false;
  /** Whether the last look failed. */
  #blind = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.sharing.listen((hints) => this.#heard(hints));
    this.#every();
  }

  /** Who is connected has changed, or what they want. */
  lookSoon(): void {
    this.#again = true;
    if (!this.#looking) this.#options.after(0, () => this.#look());
  }

  /** Nobody here takes an offer at once. */
  offer(address: string): void {
    const group = groupOf(address);
    if (group !== undefined) this.#options.sharing.hint({ groups: [group] });
  }

  /** Somebody who is not here is to hear of a settled promise. */
  tell(settled: Settled): void {
    this.#options.sharing.hint({ settled: [settled] });
  }

  elsewhere(place: Place): Promise<boolean> {
    return this.#options.sharing.elsewhere(place, this.#options.now());
  }

  #every(): void {
    this.#options.after(LOOK_MS, async () => {
      this.#every();
      this.#again = true;
      await this.#look();
    });
  }

  #heard({ groups, settled }: Hints): void {
    const wanting = new Set(this.#options.here.wanting());
    if (groups.some((group) => wanting.has(group))) this.lookSoon();
    if (settled.length === 0) return;
    this.#options.after(0, async () => {
      for (const one of settled) await this.#options.tell(one);
    });
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#lookOnce();
      }
    } finally {
      this.#looking = false;
    }
  }

  async #lookOnce(): Promise<void> {
    const { sharing, now, here, logger } = this.#options;
    const self = {
      at: now(),
      places: here.places(),
      groups: here.groups(),
      wanting: here.wanting(),
    };
    try {
      await this.#take(await sharing.look(self));
      this.#blind = false;
    } catch (error) {
      // The next look may do; meanwhile whoever asks for something hears why it cannot be had.
      if (!this.#blind) logger.warn({ error }, "could not look for what other servers left");
      this.#blind = true;
    }
  }

  async #take({ pending, notices, abandoned, dueAt }: Sight): Promise<void> {
    for (const one of pending) this.#options.offer(one);
    for (const { promise, address } of notices) {
      this.#options.notify(publicPromise(promise), address);
    }
    if (dueAt !== undefined) this.#options.due(dueAt);
    for (const place of abandoned) await this.#options.abandoned(place);
  }
}

function groupOf(text: string): string | undefined {
  const address = parseAddress(text);
  return address?.kind === "poll" ? address.group : undefined;
}
