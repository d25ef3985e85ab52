/** A process that creates promises in a file for ever, and says of each, after it was answered, that it is there. */
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { openEngine } from "../../src/open.ts";

const [path, prefix] = process.argv.slice(2);
if (path === undefined || prefix === undefined) throw new Error("usage: PATH PREFIX");
const engine = await openEngine({ path });
process.stdout.write("open\n");

/** Enough to form batches. */
const AT_ONCE = 8;
let next = 0;
await Promise.all(Array.from({ length: AT_ONCE }, write));

async function write(): Promise<never> {
  for (;;) {
    const id = `${prefix}-${next++}`;
    const [created] = await engine.process([create(id)]);
    const [settled] = await engine.process([settle(id)]);
    if (created?.head.status === 200) process.stdout.write(`created ${id}\n`);
    if (settled?.head.status === 200) process.stdout.write(`settled ${id}\n`);
  }
}

function create(id: string): Request {
  const data = { id, timeoutAt: 8e15, param: { data: id }, tags: {} };
  return { kind: "promise.create", head: { corrId: id, version: PROTOCOL_VERSION }, data };
}

function settle(id: string): Request {
  const data = { id, state: "resolved", value: { data: `value of ${id}` } } as const;
  return { kind: "promise.settle", head: { corrId: id, version: PROTOCOL_VERSION }, data };
}
