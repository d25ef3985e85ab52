/** Deadlocks whose tasks are suspended through two servers on one database. */
import { PROTOCOL_VERSION, type PromiseRecord } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Engine, openEngine } from "../../src/index.ts";
import { postgresUrl } from "../support/every-store.ts";
import { claimedCreate, suspend } from "../support/lab.ts";
import { RecordingLogger } from "../support/logger.ts";

const ROUNDS = 15;
const FOREVER = 8e15;

let servers: readonly [Engine, Engine];
beforeEach(async () => {
  const open = async () =>
    openEngine({
      postgres: { url: await postgresUrl(), poolSize: 4 },
      logger: new RecordingLogger(),
    });
  servers = [await open(), await open()];
});
afterEach(async () => {
  for (const server of servers) await server.close();
});

async function ask(server: Engine, kind: string, data: unknown) {
  const parsed = parseRequest({ kind, head: { corrId: "c", version: PROTOCOL_VERSION }, data });
  if (!parsed.ok) throw new Error(parsed.message);
  const [answer] = await server.process([parsed.request]);
  if (answer?.head.status !== 200) throw new Error(`${kind}: ${JSON.stringify(answer)}`);
  return answer.data;
}

async function states(ids: readonly string[]): Promise<readonly string[]> {
  const answers = await Promise.all(ids.map((id) => ask(servers[0], "promise.get", { id })));
  return answers.map((data) => (data as { promise: PromiseRecord }).promise.state); // A get is answered so.
}

test("whoever is suspended last, and where: one of the tasks is told, and only one", async () => {
  const [one, other] = servers;
  for (let round = 0; round < ROUNDS; round++) {
    const ids = ["a", "b", "c"].map((name) => `${name}${round}`);
    const [a = "", b = "", c = ""] = ids;
    for (const id of ids)
      await ask(one, "task.create", claimedCreate(id, { timeoutAt: FOREVER, ttl: FOREVER }));

    await Promise.all([
      ask(one, "task.suspend", suspend(a, 1, b)),
      ask(other, "task.suspend", suspend(b, 1, c)),
      ask(one, "task.suspend", suspend(c, 1, a)),
    ]);
    let seen = await states(ids);
    while (!seen.includes("rejected")) seen = await states(ids);

    // The other server may have seen the same: what it makes of it comes before this is answered.
    await ask(other, "promise.get", { id: a });
    await ask(one, "promise.get", { id: a });
    expect([...(await states(ids))].sort()).toEqual(["pending", "pending", "rejected"]);
  }
}, 60_000);
