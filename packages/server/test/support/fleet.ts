/** Several engines in this process on one database, as if each were a server, by the real clock. */
import { type Message, PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import type { Engine } from "../../src/engine/engine.ts";
import { openEngine } from "../../src/open.ts";
import type { Answer } from "./lab.ts";
import { RecordingLogger } from "./logger.ts";

/** Far beyond the end of every test. */
export const FOREVER = 9_000_000_000_000;

export class Fleet {
  readonly logger = new RecordingLogger();
  readonly engines: readonly Engine[];

  private constructor(engines: readonly Engine[]) {
    this.engines = engines;
  }

  static async open(
    count: number,
    { url, pooler = false }: { readonly url: string; readonly pooler?: boolean },
  ): Promise<Fleet> {
    const engines: Engine[] = [];
    const fleet = new Fleet(engines);
    for (let number = 0; number < count; number++) {
      const postgres = { url, poolSize: 4, pooler };
      engines.push(await openEngine({ postgres, logger: fleet.logger }));
    }
    return fleet;
  }

  at(number: number): Engine {
    const engine = this.engines[number];
    if (!engine) throw new Error(`no engine ${number}`);
    return engine;
  }

  async ask(number: number, kind: string, data: unknown): Promise<Answer> {
    const parsed = parseRequest({ kind, head: { corrId: "c", version: PROTOCOL_VERSION }, data });
    if (!parsed.ok) throw new Error(parsed.message);
    const [answer] = await this.at(number).process([parsed.request]);
    const { head, data: shown } = JSON.parse(JSON.stringify(answer));
    return { status: head.status, data: shown };
  }

  // biome-ignore lint/suspicious/noExplicitAny: as `Answer`.
  async ok(number: number, kind: string, data: unknown): Promise<any> {
    const answer = await this.ask(number, kind, data);
    if (answer.status !== 200) throw new Error(`${kind}: ${answer.status} ${answer.data}`);
    return answer.data;
  }

  connect(number: number, group: string, id: string): Member {
    return new Member(this.at(number), group, id);
  }

  async close(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close()));
  }
}

/** A connected process that keeps what it is sent. */
export class Member {
  readonly messages: Message[] = [];
  readonly disconnect: () => void;

  constructor(engine: Engine, group: string, id: string) {
    this.disconnect = engine.connect({
      group,
      id,
      graceMs: 1_000,
      lease: true,
      send: (message) => this.messages.push(message) > 0,
      closed: () => {},
    });
  }

  /** Ids of the tasks it was offered. */
  get offered(): readonly string[] {
    return this.messages.flatMap((message) =>
      message.kind === "execute" ? [message.data.task.id] : [],
    );
  }

  /** Ids of the settled promises it heard of. */
  get told(): readonly string[] {
    return this.messages.flatMap((message) =>
      message.kind === "unblock" ? [message.data.promise.id] : [],
    );
  }
}
