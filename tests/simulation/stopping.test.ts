/** A worker that stops with much in hand. */
import type { Context } from "@resonate-ts/sdk";
import { openLab } from "@resonate-ts/testing";
import { expect, test } from "vitest";

const JOBS = 500;

test("a worker that stops with 500 running gives them back, and others finish them at once", async () => {
  const lab = await openLab({ workers: 2 });
  const aborted = new Set<string>();
  const [first, second] = lab.workers;
  async function job({ id, signal }: Context): Promise<string> {
    if (lab.entered.get(id) === 1 && second?.running === false) {
      await lab.delay("10h", signal);
      if (signal.aborted) aborted.add(id);
    }
    return id;
  }
  lab.mock("job", job);
  await second?.stop();
  const ids = Array.from({ length: JOBS }, (_, i) => `j${i}`);
  const handles = await Promise.all(ids.map((id) => lab.client.beginRpc<string>(id, "job")));
  await lab.idle();
  expect(await lab.server.tasks("acquired")).toHaveLength(JOBS);

  second?.start();
  await lab.idle();
  const before = lab.now();
  await first?.stop();

  const results = await lab.until(Promise.all(handles.map((handle) => handle.result())), {
    within: "2s",
  });
  expect(results).toEqual(ids);
  expect(aborted.size).toBe(JOBS);
  expect(lab.now() - before).toBeLessThanOrEqual(2_000);
  await lab.close();
});
