import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sharedClock, steadyClock } from "../../src/engine/clock.ts";

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

describe("a clock that is shared", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"], now: 0 });
  });
  afterEach(() => vi.useRealTimers());

  const jumps: number[] = [];
  const clockAt = (instant: number, floor = 0) => {
    jumps.length = 0;
    return sharedClock({ instant, floor }, (ms) => jumps.push(ms));
  };

  test("starts at what it was told and goes on by itself", () => {
    const clock = clockAt(1_000);

    vi.advanceTimersByTime(500);

    expect(clock.now()).toBe(1_500);
  });

  test("moves on to what it hears, and not back: an answer may have been on its way", () => {
    const clock = clockAt(1_000);

    expect(clock.heard(1_040)).toBe(1_040);
    expect(clock.heard(1_010)).toBe(1_040);
    vi.advanceTimersByTime(10);
    expect(clock.now()).toBe(1_050);
  });

  test("that runs fast waits for the other: within seconds it is not ahead of it", () => {
    const clock = clockAt(100_000);
    // The other one loses a millisecond each second.
    for (let second = 1; second <= 60; second++) {
      vi.advanceTimersByTime(1_000);
      const before = clock.now();
      expect(clock.heard(100_000 + second * 999)).toBeGreaterThanOrEqual(before);
      expect(clock.now() - (100_000 + second * 999)).toBeLessThanOrEqual(21);
    }
  });

  test("goes on as it was when the other one is set, and says so once", () => {
    const clock = clockAt(1_000_000);

    clock.heard(1_000_000 + 3_600_000);
    clock.heard(1_000_000 + 3_600_000);
    expect(clock.heard(1_000_000 - 3_600_000)).toBe(1_000_000);
    vi.advanceTimersByTime(100);

    expect([clock.now(), jumps]).toEqual([1_000_100, [3_600_000]]);
  });

  test("begins at the floor where the other one is far behind it, and waits there where it is a little behind", () => {
    expect(clockAt(1_000, 500_000).now()).toBe(500_000);

    const clock = clockAt(1_000, 1_800);
    vi.advanceTimersByTime(500);
    expect(clock.now()).toBe(1_800);
    vi.advanceTimersByTime(400);
    expect(clock.now()).toBe(1_900);
  });
});
