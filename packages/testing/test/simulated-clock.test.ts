import { beforeEach, expect, test } from "vitest";
import { Activity } from "../src/activity.ts";
import { ProcessClock, SimulatedClock } from "../src/simulated-clock.ts";

let activity: Activity;
let clock: SimulatedClock;
let fired: string[];

beforeEach(() => {
  activity = new Activity();
  clock = new SimulatedClock({ startAt: 1_000, activity });
  fired = [];
});

/** Sets a timer that says when it fires. */
function set(name: string, ms: number): () => void {
  return clock.after(ms, () => fired.push(`${name} at ${clock.now()}`));
}

/** Moves from timer to timer up to `at`. */
function moveUpTo(at: number): void {
  for (let next = clock.nextAt(); next !== undefined && next <= at; next = clock.nextAt()) {
    clock.moveTo(next);
  }
}

test("timers fire in the order of their times, those of one instant in the order in which they were set", () => {
  set("late", 20);
  set("first", 10);
  set("second", 10);

  moveUpTo(1_020);

  expect(fired).toEqual(["first at 1010", "second at 1010", "late at 1020"]);
});

test("a timer that is cancelled does not fire, also when one of the same instant cancels it", () => {
  const cancel = set("other", 10);
  clock.after(5, () => fired.push("one"));
  clock.after(10, () => fired.push("two"));
  cancel();
  const later = { cancel: () => {} };
  clock.after(20, () => later.cancel());
  later.cancel = set("never", 20);

  moveUpTo(1_020);

  expect(fired).toEqual(["one", "two"]);
});

test("time counts in whole milliseconds, and never backwards", () => {
  set("a third", 100 / 3);
  set("past", -5);

  moveUpTo(2_000);
  clock.moveTo(500);

  expect(fired).toEqual(["past at 1000", "a third at 1034"]);
  expect(clock.now()).toBe(1_034);
});

/** Upkeep every second. */
function sweep(): void {
  clock.upkeep(1_000, () => {
    fired.push(`sweep at ${clock.now()}`);
    sweep();
  });
}

test("upkeep is done less and less often while nothing happens, at least once an hour", () => {
  sweep();

  moveUpTo(1_000 + 86_400_000);

  expect(fired.slice(0, 3)).toEqual(["sweep at 2000", "sweep at 3000", "sweep at 4000"]);
  expect(fired.length).toBeLessThan(50);
  expect(fired.length).toBeGreaterThan(24);
});

test("upkeep is back at its pace when something happens", () => {
  sweep();
  set("deadline", 10_000_000);
  clock.after(10_000_000, () => activity.event());
  moveUpTo(10_001_000);
  fired = [];

  moveUpTo(10_004_000);

  expect(fired).toEqual(["sweep at 10002000", "sweep at 10003000", "sweep at 10004000"]);
});

test("nothing else is put off, however long nothing happens", () => {
  sweep();
  const at = 12_345_678;
  set("deadline", at);

  moveUpTo(1_000 + at);

  expect(fired.at(-1)).toBe(`deadline at ${1_000 + at}`);
});

test("the timers of a process that was killed do not fire", async () => {
  const process = new ProcessClock(clock, activity);
  process.after(10, () => fired.push("after"));
  process.background(10, () => fired.push("background"));
  process.turn(() => fired.push("turn"));

  process.kill();
  process.after(10, () => fired.push("set later"));
  moveUpTo(2_000);
  await new Promise((resolve) => setImmediate(resolve));

  expect(fired).toEqual([]);
  expect(activity.underWay).toBe(0);
});
