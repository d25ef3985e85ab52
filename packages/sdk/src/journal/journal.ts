/** The port that the core records through: the durable promises of one claimed task. */
import type { PromiseRecord, Tags } from "@resonate-ts/protocol";
import type { Settled } from "../future.ts";

/** A promise to be created. */
export interface CreateRequest {
  readonly id: string;
  /** The deadline, in ms since the epoch. */
  readonly timeoutAt: number;
  readonly tags: Tags;
  /** The param, not encoded yet. */
  readonly data: unknown;
  /** Headers of the param, beside those of its encoding. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface RecordedParam {
  /** Decoded. */
  readonly value: unknown;
  /** The members in which it differs from what was asked for just now, where something was. */
  readonly differing: readonly string[];
}

/** A promise as it is on record, whoever created it. */
export interface Recorded {
  readonly id: string;
  readonly tags: Tags;
  readonly timeoutAt: number;
  /** `undefined` while it is pending. */
  readonly outcome: Settled | undefined;
  /** The param; left out where it is byte for byte what was asked for just now. */
  readonly param: RecordedParam | undefined;
}

/** A guess was wrong: something else is on record than what the program was told. */
export class GuessFailed extends Error {
  constructor(id: string) {
    super(`Something else is on record of '${id}' than what was expected.`);
  }
}

/** An outcome to be recorded. */
export interface Ended {
  readonly id: string;
  readonly outcome: Settled;
  /** It follows from no outcome that is recorded before it: it is that of a function that started nothing. */
  readonly leaf: boolean;
  /**
   * Told at once, where that is possible, what a replay will see if the record turns out as expected. Nothing that
   * is asked for from then on leaves before it has, but for one local creation, which the server leaves out
   * otherwise. If it does not, `settle` rejects with `GuessFailed`: the program was told something that is not so, and has
   * to be replayed.
   */
  readonly ahead?: ((outcome: Settled) => void) | undefined;
}

/**
 * Records what one execution does, under its claim.
 *
 * Writes are applied in the order of the calls. Every method that writes rejects with `LeaseLostError` once
 * the claim is no longer ours; nothing was written then. Other rejections mean that the pass cannot go on:
 * `ServerRefusedError`, `ServerUnreachableError`, `VALUE_NOT_DECODABLE`, and `VALUE_NOT_ENCODABLE` or
 * `VALUE_TOO_LARGE` of arguments.
 */
export interface Journal {
  /**
   * Creates a promise, or finds the one of that id. Answers at once, not through a promise, where the record
   * is known already, so that a replay of finished steps waits for nothing.
   */
  create(request: CreateRequest): Recorded | Promise<Recorded>;
  /**
   * Records how a promise ended. Gives what is on record, which is not `outcome` if another came first. An outcome
   * that cannot be written (`VALUE_NOT_ENCODABLE`, `VALUE_TOO_LARGE`) is recorded as a rejection that says so.
   */
  settle(ended: Ended): Promise<Settled>;
  /** How much it holds or has handed over, about, in bytes: a program may keep all of it. */
  readonly bytes: number;
  /** Whether what is asked for in one turn travels together. */
  readonly together: boolean;
  /** Sends nothing more; what waits rejects. */
  abandon(): void;
  /**
   * Parks the task until one of `awaited` settles. Writes asked for from now on wait for `reopen`.
   *
   * Gives nothing when it is parked; otherwise the task is still ours, and it gives what settled meanwhile,
   * perhaps with more. Says of what it `registered` even so: the settling of those is noted by the server, and they
   * need not be named again. When an answer is lost it may have shown something that is never shown again, so it asks
   * then for `all` that is waited for.
   */
  suspend(
    awaited: readonly string[],
    all: () => readonly string[],
    registered: (ids: readonly string[]) => void,
  ): Promise<readonly PromiseRecord[] | undefined>;
  /** Goes on after `suspend`: under the same claim, or under a new one of the version given. */
  reopen(version?: number): void;
  /** Reads promises; those that are gone are left out. */
  read(ids: readonly string[]): Promise<readonly PromiseRecord[]>;
  /** A record with its payloads decoded. A promise only if decryption takes time. */
  decode(promise: PromiseRecord): Recorded | Promise<Recorded>;
  /** How a promise ended, decoded; `undefined` while it is pending. A promise only if decryption takes time. */
  outcomeOf(promise: PromiseRecord): Settled | undefined | Promise<Settled>;
  /** Settles the task's own promise, and with it the task; as `settle` else. Gives the promise as it is on record. */
  finish(outcome: Settled): Promise<PromiseRecord>;
}
