/**
 * What one execution wants to send, and when each of it may leave.
 *
 * A *guess* is a settling whose outcome the program has been told before the server has recorded it.
 *
 * I1. Everything leaves in the order in which it was asked for.
 * I2. What may follow from a guess is careful: it leaves when no guess is open that was sent before it. So nothing
 *     that a wrong guess has led to is ever sent.
 * I3. One exception to I2: what `follows` may travel with the only guess there is, because the server leaves it
 *     out if the guess was wrong.
 * I4. While it is closed, and once it has been abandoned, nothing leaves.
 */
import { endOfTurn } from "../network/end-of-turn.ts";

export interface Mail {
  /** It is encoded. Call `advance` when that changes. */
  ready: boolean;
  readonly careful: boolean;
  readonly guess: boolean;
  /** Whether it may travel with a guess right before it. */
  readonly follows: boolean;
  /** Whether it waits for the end of the turn, because what is asked for next may travel with it. */
  readonly waits: boolean;
  send(follower: Mail | undefined): void;
  /** It will not be sent any more. */
  drop(): void;
}

export class Outbox {
  readonly #waiting: Mail[] = [];
  /** Guesses that were sent and not answered. */
  #open = 0;
  #closed = false;
  #abandoned = false;
  /** Something waits for the end of the turn. */
  #holding = false;

  add(mail: Mail): void {
    if (this.#abandoned) {
      mail.drop();
      return;
    }
    this.#waiting.push(mail);
    if (mail.waits) this.#hold();
    this.advance();
  }

  /** Sends what may leave now. */
  advance(): void {
    while (!this.#holding) {
      const [mail, next] = this.#waiting;
      if (!mail?.ready || this.#closed || (mail.careful && this.#open > 0)) return;
      const paired = mail.guess && this.#open === 0 && next?.follows && next.ready;
      this.#waiting.shift();
      if (paired) this.#waiting.shift();
      if (mail.guess) this.#open += 1;
      mail.send(paired ? next : undefined);
    }
  }

  /** A guess has come true. */
  proved(): void {
    this.#open -= 1;
    this.advance();
  }

  /** Nothing leaves until `reopen`. */
  close(): void {
    this.#closed = true;
  }

  reopen(): void {
    this.#closed = false;
    this.advance();
  }

  abandon(): void {
    this.#abandoned = true;
    for (const mail of this.#waiting.splice(0)) mail.drop();
  }

  #hold(): void {
    if (this.#holding) return;
    this.#holding = true;
    endOfTurn(() => {
      this.#holding = false;
      this.advance();
    });
  }
}
