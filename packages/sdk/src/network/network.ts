/** The port to a server. */
import type { Message, Refusal, Request, RequestKind, Response } from "@resonate-ts/protocol";

/** What a server may have beyond the base protocol. */
export type Extension = "batch" | "lease" | "delta" | "claim" | "then";

/**
 * A way to a server: requests one way, messages the other.
 *
 * Requests sent in the same turn of the event loop may travel together; they are applied in the order in
 * which they were sent. A request that every retry failed for rejects with `ServerUnreachableError`; one that
 * the server refused resolves with the refusal.
 */
export interface Network {
  /** Address of this process alone. */
  readonly unicast: string;
  /** Address of this process's group that prefers this process. */
  readonly anycast: string;
  /** The address of a target given by name: `poll://any@<target>`; an address stays as it is. */
  match(target: string): string;
  /** What the server has been seen to have; empty until it has answered. */
  readonly extensions: ReadonlySet<Extension>;
  /** How far the server's clock is ahead of this machine's, in ms, as far as it has been seen. Default 0. */
  readonly aheadMs?: number;
  /** Connects. Safe to call twice. Rejects only when it can never work (a file another process holds). */
  init(): Promise<void>;
  /** Finishes what is under way, then disconnects. Safe to call twice. */
  stop(): Promise<void>;
  /**
   * @param again what to send instead when `request` has been sent and its answer was lost, so that it may have been
   *   applied. Default: the same.
   */
  send<K extends RequestKind>(
    request: Request<K>,
    again?: () => Request<K>,
  ): Promise<Response<K> | Refusal>;
  /** Subscribes to messages. */
  recv(receive: (message: Message) => void): void;
  /**
   * Subscribes to the stream of messages having been opened, the first time and after every break: what was
   * sent in between is lost, so listeners are registered again.
   */
  opened?(callback: () => void): void;
}
