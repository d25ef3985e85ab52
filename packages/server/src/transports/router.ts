/** The port to transports that bring a message to an address by themselves, with no connection that a worker opened. */
import type { Message } from "@resonate-ts/protocol";

export interface Pusher {
  /**
   * Sends one message to a URL. Resolves `true` when the other side has taken it, `false` when it has not, or when it
   * must not be sent there; why is in the log. Never rejects. Whoever sends tries again later.
   */
  push(url: string, message: Message): Promise<boolean>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}
