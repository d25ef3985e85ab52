import { expect, test } from "vitest";
import type { Execution } from "../../src/core/execution.ts";
import { WarmExecutions } from "../../src/worker/warm.ts";

/** An execution that holds so many bytes, and its id once it has been dropped. */
function holding(id: string, bytes: number, dropped: string[]): Execution {
  // All that is asked of one here.
  return { id, bytes, drop: () => dropped.push(id) } as unknown as Execution;
}

test("beyond so many bytes the least recently parked are dropped, and what was taken counts no more", () => {
  const dropped: string[] = [];
  const warm = new WarmExecutions(100, 10);
  const put = (id: string, bytes: number) =>
    warm.put({ execution: holding(id, bytes, dropped), version: 1, promise: { createdAt: 0 } });

  put("a", 5);
  put("b", 5);
  expect(dropped).toEqual([]);
  put("c", 1);
  expect(dropped).toEqual(["a"]);
  warm.take("b");
  put("d", 9);
  expect(dropped).toEqual(["a"]);
  put("e", 11);
  expect(dropped).toEqual(["a", "c", "d", "e"]);
});
