import { expect, test } from "vitest";
import { histogram, WORKLOADS } from "../src/workloads.ts";

test("what is done at once has a latency too, where workflows are asked for at their times", async () => {
  const latencies = histogram();

  await WORKLOADS["W4-open"]?.perform(async () => undefined, "a", 50, latencies);

  expect(latencies.totalCount).toBe(50);
  expect(latencies.maxValue).toBeLessThan(1_000_000);
});
