import { beforeEach, expect, test } from "vitest";
import { CallSignal } from "../../src/core/call-signal.ts";
import type { Host } from "../../src/core/host.ts";

const waiting = new Set<() => void>();
let execution: AbortController;
let signal: CallSignal;
beforeEach(() => {
  waiting.clear();
  execution = new AbortController();
  const clock = {
    now: () => 1_000,
    background(_ms: number, callback: () => void) {
      waiting.add(callback);
      return () => void waiting.delete(callback);
    },
  };
  // It reads nothing else of its host.
  const host = { signal: execution.signal, clock } as unknown as Host;
  signal = new CallSignal(host, { id: "w", timeoutAt: 2_000 });
});

test("nothing waits for the deadline of a call that nobody asked the signal of", () => {
  signal.close();

  expect(waiting.size).toBe(0);
});

test("it fires at the deadline of the call", () => {
  const { aborted } = signal.get();

  for (const expire of waiting) expire();

  expect([aborted, signal.get().aborted]).toEqual([false, true]);
  expect(signal.get().reason).toMatchObject({ code: "PROMISE_TIMED_OUT", promiseId: "w" });
});

test("it fires when the execution is given up, and then nothing waits for the deadline", () => {
  signal.get();

  execution.abort(new Error("given up"));

  expect(signal.get().reason).toMatchObject({ message: "given up" });
  expect(waiting.size).toBe(0);
});

test("when the call is over nothing waits for the deadline, and the signal stays as it was", () => {
  signal.get();

  signal.close();

  expect([waiting.size, signal.get().aborted]).toEqual([0, false]);
});
