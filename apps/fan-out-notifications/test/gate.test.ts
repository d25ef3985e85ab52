import { expect, test } from "vitest";
import { Gate, type Time } from "../src/gate.ts";

const SIGNAL = new AbortController().signal;

/** Time that passes only where somebody waits for it. */
function virtualTime(): Time {
  let now = 0;
  return {
    now: () => now,
    wait: async (ms) => {
      now += ms;
    },
  };
}

test("no more than the limit are inside at once, and everybody gets in", async () => {
  const gate = new Gate({ atOnce: 2 });
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise(setImmediate);
    inside -= 1;
    return "done";
  };

  const done = await Promise.all(Array.from({ length: 7 }, () => gate.pass(work, SIGNAL)));

  expect(done).toHaveLength(7);
  expect(most).toBe(2);
});

test("requests begin evenly, as many in a second as there may be", async () => {
  const time = virtualTime();
  const gate = new Gate({ atOnce: 1, perSecond: 4 }, time);
  const starts: number[] = [];

  for (let count = 0; count < 4; count++) {
    await gate.pass(async () => starts.push(time.now()), SIGNAL);
  }

  expect(starts).toEqual([0, 250, 500, 750]);
});

test("who fails leaves, and who has gone away does not begin", async () => {
  const gate = new Gate({ atOnce: 1 });
  await expect(gate.pass(() => Promise.reject(new Error("no")), SIGNAL)).rejects.toThrow("no");
  await expect(gate.pass(async () => 1, AbortSignal.abort(new Error("gone")))).rejects.toThrow(
    "gone",
  );
  expect(await gate.pass(async () => "in", SIGNAL)).toBe("in");
});
