import { TAG } from "@resonate-ts/protocol";
import { expect, test } from "vitest";
import {
  type Entry,
  type ScheduleEntry,
  type Snapshot,
  stateProperties,
  stateViolations,
  stepProperties,
  stepViolations,
  type Taken,
} from "../../src/core/invariants.ts";
import type { Outgoing, StoredPromise, StoredTask } from "../../src/core/records.ts";
import { Random } from "../differential/random.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const WORLDS = 30_000;

test("the catalogue has 45 properties of states and 50 of steps, by number, and what lies beyond", () => {
  const numbers = (list: readonly { number: number }[]) => list.map(({ number }) => number);
  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);

  expect(numbers(stateProperties)).toEqual([...range(1, 45), ...range(98, 100)]);
  expect(numbers(stepProperties)).toEqual([...range(46, 97), 101]);
  const names = [...stateProperties, ...stepProperties].map(({ name }) => name);
  expect(new Set(names).size).toBe(101);
});

test(`every property can be broken, and can hold (SEED=${seed})`, () => {
  const random = new Random(seed);
  const broken = new Map<number, number>();
  for (let world = 0; world < WORLDS; world++) {
    const [from, to] = [arbitrary(random, 100), arbitrary(random, 100)];
    const step = arbitraryStep(random);
    const found = [...stateViolations(to), ...stepViolations(from, to, step, to)];
    for (const number of new Set(found.map(({ number }) => number))) {
      broken.set(number, (broken.get(number) ?? 0) + 1);
    }
  }

  const always = broken.entries().filter(([, times]) => times === WORLDS);
  expect([...always]).toEqual([]);
  const all = [...stateProperties, ...stepProperties];
  expect(all.filter(({ number }) => !broken.has(number)).map(({ name }) => name)).toEqual([]);
});

const ID = "a";
const OTHER = "b";

/** Anything that could be stored, possible or not. */
function arbitrary(random: Random, at: number): Snapshot {
  const entries = new Map([ID, OTHER].map((id) => [id, arbitraryEntry(random, id)]));
  const schedule = random.chance(0.8) ? arbitrarySchedule(random) : undefined;
  return {
    at,
    ids: [ID],
    scheduleIds: ["s"],
    entry: (id) => entries.get(id),
    schedule: () => schedule,
  };
}

function arbitraryEntry(random: Random, id: string): Entry {
  const some = <T>(...from: T[]) => from.filter(() => random.chance(0.3));
  const twice = <T>(list: readonly T[]) => (random.chance(0.1) ? [...list, ...list] : list);
  return {
    id,
    ...(random.chance(0.9) && { promise: arbitraryPromise(random, id) }),
    ...(random.chance(0.8) && { task: arbitraryTask(random, id) }),
    copies: { promises: random.pick([0, 1, 1, 2]), tasks: random.pick([0, 1, 1, 2]) },
    callbacks: twice(some(ID, OTHER)),
    awaits: some(OTHER),
    listeners: twice(some("poll://any@g", "nowhere")),
    resumedBy: twice(some(OTHER)),
    executes: twice(
      some({ address: random.pick(["poll://any@g", "x"]), version: random.below(3) }),
    ),
    unblocks: twice(some({ address: "poll://any@g" }, { address: "nowhere" })),
  };
}

function arbitraryPromise(random: Random, id: string): StoredPromise {
  const instant = () => random.pick([50, 99, 100, 101]);
  const tags = {
    ...(random.chance(0.6) && { [TAG.target]: random.pick(["poll://any@g", ""]) }),
    ...(random.chance(0.3) && { [TAG.timer]: "true" }),
    ...(random.chance(0.3) && { [TAG.schedule]: "s" }),
    ...(random.chance(0.3) && { [TAG.delay]: "200" }),
  };
  return {
    id,
    state: random.pick(["pending", "pending", "resolved", "rejected", "rejected_timedout"]),
    param: random.pick([{}, { data: "x" }]),
    value: random.pick([{}, { data: "y" }]),
    tags,
    timeoutAt: instant(),
    createdAt: instant(),
    ...(random.chance(0.5) && { settledAt: instant() }),
  };
}

function arbitraryTask(random: Random, id: string): StoredTask {
  return {
    id,
    state: random.pick(["pending", "acquired", "suspended", "halted", "fulfilled"]),
    version: random.below(3),
    resumes: random.below(3),
    ...(random.chance(0.5) && { pid: random.pick(["p", "q"]) }),
    ...(random.chance(0.5) && { ttl: random.pick([0, 10]) }),
    ...(random.chance(0.5) && { dueAt: random.pick([99, 100, 101, 110]) }),
  };
}

function arbitrarySchedule(random: Random): ScheduleEntry {
  const instant = () => random.pick([50, 99, 101]);
  const record = {
    id: "s",
    cron: random.pick(["* * * * *", "@hourly"]),
    promiseId: "p",
    promiseTimeout: 1,
    promiseParam: {},
    promiseTags: {},
    createdAt: instant(),
    nextRunAt: instant(),
    ...(random.chance(0.5) && { lastRunAt: instant() }),
  };
  return { record, copies: random.pick([1, 1, 2]) };
}

function arbitraryStep(random: Random): Taken {
  const promise = arbitraryPromise(random, ID);
  const task = { id: ID, version: random.below(3) };
  const execute = {
    kind: "execute" as const,
    address: random.pick(["poll://any@g", "x"]),
    task,
    promise,
  };
  const unblock = { kind: "unblock" as const, address: "poll://any@g", promise };
  const messages: readonly Outgoing[] = [execute, unblock];
  const sent = messages.filter(() => random.chance(0.3));
  return {
    kind: random.pick(["promise.timeout", "task.resume", "task.acquire", "promise.notified"]),
    sent,
    retryTimeoutMs: random.pick([0, 30_000]),
  };
}
