import { eventOf } from "./notification.ts";
import { sentLine } from "./report.ts";
import type { Noted } from "./send.ts";
import type { Terminal } from "./terminal.ts";

/** Time between two lines of progress, in ms: where a line is replaced, and where each one stays. */
const LIVE_MS = 100;
const LINES_MS = 2_000;

/**
 * Shows what is sent for this process's event. It may go on with other events too, which another process has begun: each
 * of those is named once, and nothing of it is shown or counted.
 */
export class Progress {
  /** How many requests this process made for its event. */
  sent = 0;
  /** How many messages there are, where they are too many to show each. */
  messages: number | undefined;
  readonly #event: string;
  readonly #terminal: Terminal;
  readonly #others = new Set<string>();
  #delivered = 0;
  #shownAt: number;
  readonly #since: number;

  constructor(event: string, terminal: Terminal) {
    this.#event = event;
    this.#terminal = terminal;
    this.#since = performance.now();
    this.#shownAt = this.#since;
  }

  readonly note = (noted: Noted): void => {
    const event = eventOf(noted.key);
    if (event === this.#event) this.#own(noted);
    else this.#other(event);
  };

  #own(noted: Noted): void {
    this.sent += 1;
    if (noted.answer.kind === "accepted") this.#delivered += 1;
    const { channel, key, answer, ms } = noted;
    this.#terminal.event("sent", { channel, key, ms, ...answer });
    if (this.messages === undefined) this.#terminal.line(sentLine(noted));
    else this.#show(this.messages);
  }

  #other(event: string): void {
    if (this.#others.has(event)) return;
    this.#others.add(event);
    this.#terminal.line(`Working on order ${event} too, which is not finished.`);
  }

  #show(messages: number): void {
    const now = performance.now();
    if (now - this.#shownAt < (this.#terminal.tty ? LIVE_MS : LINES_MS)) return;
    this.#shownAt = now;
    const rate = (this.#delivered * 1_000) / (now - this.#since);
    this.#terminal.live(
      `${this.#delivered} of ${messages} messages delivered by this process, ${rate.toFixed(0)} a second`,
    );
  }
}
