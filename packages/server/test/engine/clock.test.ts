import { afterEach, expect, test, vi } from "vitest";
import { steadyClock } from "../../src/engine/clock.ts";

const START = Date.UTC(2030, 0, 1);
afterEach(() => {
  vi.useRealTimers();
});

test("starts at the wall clock and goes on with the time that passes, in whole milliseconds", () => {
  vi.useFakeTimers({ now: START, toFake: ["Date", "performance"] });
  const clock = steadyClock();
  expect(clock.now()).toBe(START);

  vi.advanceTimersByTime(1_500);

  expect(clock.now()).toBe(START + 1_500);
});

test.each([-86_400_000, 3_600_000])("a wall clock that is set by %d ms moves nothing", (ms) => {
  vi.useFakeTimers({ now: START, toFake: ["Date", "performance"] });
  const clock = steadyClock();
  vi.advanceTimersByTime(10);

  vi.setSystemTime(Date.now() + ms);

  expect(clock.now()).toBe(START + 10);
});

test("waits at a floor that is a little ahead, until the wall clock has come there", () => {
  vi.useFakeTimers({ now: START, toFake: ["Date", "performance"] });
  const clock = steadyClock(START + 1_000);
  const readings = [clock.now()];

  for (const ms of [999, 1, 1]) {
    vi.advanceTimersByTime(ms);
    readings.push(clock.now());
  }

  expect(readings.map((at) => at - START)).toEqual([1_000, 1_000, 1_000, 1_001]);
});

test("goes on from a floor that is far ahead, and freezes nothing", () => {
  vi.useFakeTimers({ now: START, toFake: ["Date", "performance"] });
  const clock = steadyClock(START + 3_600_000);

  vi.advanceTimersByTime(10);

  expect(clock.now()).toBe(START + 3_600_010);
});

test("never gives less than before", () => {
  const clock = steadyClock();
  const readings = Array.from({ length: 1_000 }, () => clock.now());

  expect(readings).toEqual(readings.toSorted((one, other) => one - other));
  expect(readings.every(Number.isInteger)).toBe(true);
});
