import { expect, test } from "vitest";
import { Oracle } from "../differential/oracle.ts";
import { Random } from "../differential/random.ts";
import { STORES } from "../differential/stores.ts";
import { essence } from "../linearizability/history.ts";
import { type TraceLine, trace } from "./trace.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));

test(`a trace goes forward in time, and its answers are those of the protocol (SEED=${seed})`, async () => {
  const lines = await traced(seed, 2_000);

  expect(lines).toHaveLength(2_000);
  const oracle = new Oracle();
  for (const { kind, now, req, res } of lines) {
    expect(now).toBeGreaterThanOrEqual(oracle.now);
    if (now > oracle.now) {
      oracle.now = now;
      oracle.tick();
    }
    const { head, data } = res;
    const expected = head.status === 400 ? { status: 400 } : oracle.ask(kind, req);
    expect([kind, essence({ status: head.status, data })]).toEqual([kind, essence(expected)]);
  }
});

test("a trace is the same again with its seed", async () => {
  expect(await traced(seed, 300)).toEqual(await traced(seed, 300));
});

/** Lines as a checker reads them. */
async function traced(
  from: number,
  operations: number,
): Promise<(TraceLine & { res: { head: { status: number }; data: unknown } })[]> {
  const { store, close } = STORES.memory();
  const lines: TraceLine[] = [];
  for await (const line of trace(store, new Random(from), operations)) lines.push(line);
  await close();
  return JSON.parse(JSON.stringify(lines));
}
