/**
 * What the sandbox's providers received: a file with a JSON line per request, because providers outlive the programs
 * that call them. Several processes may have sandboxes on one file; what is delivered once is delivered for all.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { CHANNELS, type Channel } from "./notification.ts";

const receivedSchema = z.object({
  channel: z.enum(CHANNELS),
  key: z.string(),
  /** `repeated`: this key had been delivered already, so nothing was delivered. */
  did: z.enum(["delivered", "failed", "repeated"]),
  /** Whoever asked never got the answer. */
  cut: z.literal(true).exactOptional(),
  to: z.string(),
  /** What was to be delivered. */
  text: z.string(),
});

export type Received = Readonly<z.infer<typeof receivedSchema>>;

export class Ledger {
  readonly #path: string;
  readonly #received: Received[] = [];
  readonly #byKey = new Map<string, Received[]>();
  #offset = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** Every request so far, those that other processes got included. */
  get received(): readonly Received[] {
    this.#read();
    return this.#received;
  }

  /** Requests with this key so far. */
  of(key: string): readonly Received[] {
    this.#read();
    return this.#byKey.get(key) ?? [];
  }

  /** Messages that were delivered over `channel` to `to`, the newest first. */
  deliveredTo(channel: Channel, to: string): readonly Received[] {
    const own = (one: Received) => one.channel === channel && one.to === to;
    return this.received.filter((one) => own(one) && one.did === "delivered").toReversed();
  }

  note(received: Received): void {
    appendFileSync(this.#path, `${JSON.stringify(received)}\n`);
  }

  /** Takes in what has been appended, by whichever process. */
  #read(): void {
    if (!existsSync(this.#path)) return;
    const file = openSync(this.#path, "r");
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#offset);
      this.#offset += readSync(file, bytes, 0, bytes.length, this.#offset);
      const lines = (this.#rest + bytes.toString()).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#add(receivedSchema.parse(JSON.parse(line)));
    } finally {
      closeSync(file);
    }
  }

  #add(received: Received): void {
    this.#received.push(received);
    const same = this.#byKey.get(received.key);
    if (same) same.push(received);
    else this.#byKey.set(received.key, [received]);
  }
}
