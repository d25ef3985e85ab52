import { orderOf } from "./order.ts";
import { receivedLine } from "./report.ts";
import type { Received } from "./sandbox.ts";

/**
 * Prints what is sent for this process's order. It may go on with other orders too, which another process has begun:
 * each of those is named once, and nothing of it is printed or counted.
 */
export class RequestLog {
  /** How many requests this process sent for its order. */
  sent = 0;
  readonly #order: string;
  readonly #print: (line: string) => void;
  readonly #others = new Set<string>();

  constructor(order: string, print: (line: string) => void) {
    this.#order = order;
    this.#print = print;
  }

  note(received: Received): void {
    const order = orderOf(received.key);
    if (order === this.#order) {
      this.sent++;
      this.#print(receivedLine(received));
    } else if (!this.#others.has(order)) {
      this.#others.add(order);
      this.#print(`Working on order ${order} too, which is not finished.`);
    }
  }
}
