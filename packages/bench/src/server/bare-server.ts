/**
 * What our server is compared with: Node's HTTP server, JSON, and the same rows in the same SQLite, committed in
 * groups; and nothing else. It takes `promise.create` and `promise.settle`, alone or in batches, and checks nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

interface Envelope {
  readonly kind: string;
  readonly head: { readonly corrId: string; readonly version: string };
  readonly data: {
    readonly id: string;
    readonly timeoutAt: number;
    readonly param?: unknown;
    readonly value?: unknown;
    readonly tags?: unknown;
  };
}

interface Waiting {
  readonly envelopes: readonly Envelope[];
  answer(answers: readonly unknown[]): void;
}

const [path = ""] = process.argv.slice(2);
const db = new DatabaseSync(path);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 8000;
  CREATE TABLE promises (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, timeout_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL, settled_at INTEGER, tags TEXT NOT NULL, param TEXT NOT NULL, value TEXT NOT NULL
  ) STRICT;
`);
const begin = db.prepare("BEGIN IMMEDIATE");
const commit = db.prepare("COMMIT");
const insert = db.prepare(
  `INSERT INTO promises (id, state, timeout_at, created_at, tags, param, value) VALUES (?, 0, ?, ?, ?, ?, '{}')
   ON CONFLICT (id) DO NOTHING`,
);
const find = db.prepare(
  "SELECT seq, timeout_at, created_at, tags, param FROM promises WHERE id = ?",
);
const settle = db.prepare("UPDATE promises SET state = 1, settled_at = ?, value = ? WHERE seq = ?");

let waiting: Waiting[] = [];

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  // It listens on a port.
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on("disconnect", () => process.exit());

function serve(request: IncomingMessage, response: ServerResponse): void {
  let text = "";
  request.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  request.once("end", () => take(text, response));
}

function take(text: string, response: ServerResponse): void {
  const body = JSON.parse(text) as Envelope | readonly Envelope[]; // It is sent by the benchmark only.
  if (waiting.length === 0) setImmediate(commitAll);
  waiting.push({
    envelopes: "kind" in body ? [body] : body,
    answer(answers) {
      const answer = JSON.stringify("kind" in body ? answers[0] : answers);
      response.writeHead(200, {
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(answer),
      });
      response.end(answer);
    },
  });
}

/** One commit for all that waits. */
function commitAll(): void {
  const group = waiting;
  waiting = [];
  begin.run();
  const answers = group.map(({ envelopes }) => envelopes.map(apply));
  commit.run();
  group.forEach(({ answer }, at) => {
    answer(answers[at] ?? []);
  });
}

function apply({ kind, head, data }: Envelope): unknown {
  const now = Date.now();
  const { id, timeoutAt, param = {}, value = {}, tags = {} } = data;
  if (kind === "promise.create") {
    insert.run(id, timeoutAt, now, JSON.stringify(tags), JSON.stringify(param));
    return answered(kind, head, {
      id,
      state: "pending",
      param,
      value: {},
      tags,
      timeoutAt,
      createdAt: now,
    });
  }
  const row = find.get(id);
  settle.run(now, JSON.stringify(value), Number(row?.["seq"]));
  const fixed = {
    param: JSON.parse(String(row?.["param"])),
    tags: JSON.parse(String(row?.["tags"])),
    timeoutAt: row?.["timeout_at"],
    createdAt: row?.["created_at"],
  };
  return answered(kind, head, { id, state: "resolved", value, ...fixed, settledAt: now });
}

function answered(kind: string, { corrId, version }: Envelope["head"], promise: unknown): unknown {
  return { kind, head: { corrId, status: 200, version }, data: { promise } };
}
