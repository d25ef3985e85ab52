/** A stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) to one process. */
import type { ServerResponse } from "node:http";
import type { Message } from "@resonate-ts/protocol";

/**
 * Bytes that may wait for a slow reader before messages to it are dropped. A message that finds less waiting is
 * always taken, so at most this and one message (bounded by the body limit of 2 MiB) are held. Ordinary `execute`
 * messages are about 100 bytes, so this is far more of them than the 100 of the official server.
 */
export const WAITING_BYTES_MAX = 1024 * 1024;

/** How often a comment is sent: clients and proxies give up on a stream that stays silent, the first after about 60 s. */
export const KEEP_ALIVE_MS = 15_000;

const COMMENT = ":\n\n";

/** Owns the body of a response whose head has been written. */
export class SseStream {
  readonly #response: ServerResponse;
  readonly #keepAlive: NodeJS.Timeout;
  /** Bytes that had left for the reader at the last tick, if others were waiting then. */
  #leftWhileWaiting: number | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    // The first bytes make clients and proxies see that the stream is open.
    response.write(COMMENT);
    this.#keepAlive = setInterval(() => this.#tick(), KEEP_ALIVE_MS).unref();
    response.once("close", () => clearInterval(this.#keepAlive));
  }

  /** Hands over one message; `false` when the stream is over or its reader too far behind. */
  send(message: Message): boolean {
    return this.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  /** As `send`, of an event as it is written on the wire. */
  write(event: string): boolean {
    if (this.#over || this.#response.writableLength > WAITING_BYTES_MAX) return false;
    this.#response.write(event);
    return true;
  }

  /** Ends the stream after what was sent. Safe to call twice. */
  end(): void {
    this.#response.end();
  }

  /** Subscribes to the stream being over, whoever ended it. */
  onClose(callback: () => void): void {
    if (this.#response.closed) callback();
    else this.#response.once("close", callback);
  }

  get #over(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  /** A reader that took nothing since the last tick is gone or stuck; it is better off connecting again. */
  #tick(): void {
    if (this.#over) return;
    const { socket, writableLength: waiting } = this.#response;
    if (!socket || waiting === 0) {
      this.#leftWhileWaiting = undefined;
      this.#response.write(COMMENT);
      return;
    }
    const left = socket.bytesWritten - waiting;
    if (left === this.#leftWhileWaiting) this.#response.destroy();
    this.#leftWhileWaiting = left;
  }
}
