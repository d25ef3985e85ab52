/** Random requests over a few ids: most of them make sense in the state that the oracle is in. */
import type { Oracle } from "./oracle.ts";
import type { Random } from "./random.ts";

export interface Generated {
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: the requests of all kinds.
  readonly data: any;
  readonly preload?: "none" | "delta";
  /** Made invalid on purpose: the answer must be 400, and the parser says so. */
  readonly broken?: true;
  readonly cause?: string;
  /** Well-formed, and 400 all the same. */
  readonly refused?: true;
}

/**
 * Ids of one generation, whose number stands for `#`: roots, children after colons and after dots, and one that
 * nobody creates.
 */
const IDS = [
  ...["a#", "a#:0", "a#:1", "a#:1.0", "b#", "b#.0", "b#.0.1"],
  ...["c#:0", "d#/x", "e#", "unknown"],
] as const;
/** How many promises of a generation settle before the next one begins. */
const GENERATION = 8;
const SCHEDULES = ["s", "t.1", "u"] as const;
export const ADDRESSES = [
  "poll://any@g",
  "poll://uni@g/w",
  "poll://any@h/w",
  "https://example.test/push",
] as const;
const SETTLED = ["resolved", "rejected", "rejected_canceled"] as const;

type Make = (random: Random, oracle: Oracle) => Generated["data"];

const kinds: Readonly<Record<string, { readonly weight: number; readonly make: Make }>> = {
  "promise.get": { weight: 1, make: (random, oracle) => ({ id: anyId(random, oracle) }) },
  "promise.create": { weight: 8, make: (random, oracle) => create(random, oracle) },
  "promise.settle": { weight: 4, make: (random, oracle) => settle(random, liveId(random, oracle)) },
  "promise.register_callback": { weight: 4, make: callback },
  "promise.register_listener": {
    weight: 3,
    make: (random, oracle) => ({
      awaited: liveId(random, oracle),
      address: random.pick(ADDRESSES),
    }),
  },
  "promise.search": { weight: 1, make: searchPromises },
  "task.get": { weight: 1, make: (random, oracle) => ({ id: anyId(random, oracle) }) },
  "task.create": { weight: 6, make: taskCreate },
  "task.acquire": {
    weight: 8,
    make: (random, oracle) => ({ ...claim(random, oracle, "pending"), ...holder(random) }),
  },
  "task.fence": { weight: 4, make: fence },
  "task.heartbeat": {
    weight: 3,
    make: (random, oracle) => ({
      pid: holder(random).pid,
      tasks: [claim(random, oracle, "acquired"), claim(random, oracle, "acquired")],
    }),
  },
  "task.suspend": { weight: 8, make: suspend },
  "task.fulfill": { weight: 3, make: fulfill },
  "task.release": { weight: 2, make: (random, oracle) => claim(random, oracle, "acquired") },
  "task.halt": {
    weight: 2,
    make: (random, oracle) => {
      const state = random.pick(["pending", "acquired", "suspended", "halted"] as const);
      return { id: claim(random, oracle, state).id };
    },
  },
  "task.continue": {
    weight: 2,
    make: (random, oracle) => ({ id: claim(random, oracle, "halted").id }),
  },
  "task.search": {
    weight: 1,
    make: (random) => ({
      state: random.pick([null, "pending", "acquired", "suspended", "halted", "fulfilled"]),
      limit: random.pick([1, 4, 1_000]),
    }),
  },
  "worker.announce": { weight: 0.3, make: announcement },
  "schedule.create": { weight: 0.5, make: (random) => scheduleCreate(random) },
  "schedule.get": { weight: 0.5, make: (random) => ({ id: scheduleId(random) }) },
  "schedule.delete": { weight: 0.4, make: (random) => ({ id: scheduleId(random) }) },
  "schedule.search": {
    weight: 0.5,
    make: (random) => ({
      tags: random.pick([{}, null, { kind: "x" }]),
      limit: random.pick([1, 2, 10]),
    }),
  },
};

const lottery = Object.entries(kinds).flatMap(([kind, { weight }]) =>
  Array(weight * 10).fill(kind),
);
const SEARCHES = ["promise.search", "task.search", "schedule.search"];
const CAUSED = ["task.release", "task.halt"];
const CAUSES = ["out of memory", "\ud83d\ude31 '; drop"] as const;
const PRELOADED = ["task.create", "task.acquire", "task.fence", "task.suspend"];

export function generate(random: Random, oracle: Oracle): Generated {
  const kind: string = random.pick(lottery);
  const data = kinds[kind]?.make(random, oracle);
  if (random.chance(0.04)) return { kind, data: broken(random, kind, data), broken: true };
  if (SEARCHES.includes(kind) && random.chance(0.1)) {
    return { kind, data: { ...data, cursor: random.pick(["!", "YQ==", ""]) }, refused: true };
  }
  if (kind === "schedule.create" && random.chance(0.2)) {
    return { kind, data: { ...data, cron: random.pick(BAD_CRONS) }, refused: true };
  }
  const preload = PRELOADED.includes(kind) && random.chance(0.5);
  const cause = CAUSED.includes(kind) && random.chance(0.5);
  return {
    kind,
    data,
    ...(preload && { preload: random.pick(["none", "delta"] as const) }),
    ...(cause && { cause: random.pick(CAUSES) }),
  };
}

/** A search that is read page by page, to the end. */
export function generateWalk(random: Random, oracle: Oracle): Generated {
  const kind = random.pick(SEARCHES);
  const data = kinds[kind]?.make(random, oracle);
  return { kind, data: { ...data, limit: random.pick([1, 2, 5]) } };
}

/** An id of the generation that is under way, or now and then of the one before. */
function anyId(random: Random, oracle: Oracle): string {
  const settled = [...oracle.promises.values()].filter(({ state }) => state !== "pending").length;
  const generation = Math.floor(settled / GENERATION) - (random.chance(0.15) ? 1 : 0);
  return random.pick(IDS).replace("#", `${Math.max(0, generation)}`);
}

/** Mostly an id that can be created. */
function newId(random: Random, oracle: Oracle): string {
  for (let tries = 0; tries < 3; tries++) {
    const id = anyId(random, oracle);
    if (id !== "unknown" && (!oracle.promises.has(id) || random.chance(0.2))) return id;
  }
  return `e${oracle.promises.size}`;
}

/** Mostly a promise that is pending; `external`: and can be awaited. */
function liveId(random: Random, oracle: Oracle, external = false): string {
  const live = [...oracle.promises.values()].filter(
    (promise) =>
      promise.state === "pending" &&
      promise.timeoutAt > oracle.now &&
      (!external || isExternal(promise.tags)),
  );
  return live.length > 0 && random.chance(0.8) ? random.pick(live).id : anyId(random, oracle);
}

function isExternal(tags: Readonly<Record<string, string>>): boolean {
  return KINDS_OF_PROMISE.slice(2).some((kind) =>
    Object.keys(kind).every((name) => tags[name] !== undefined && tags[name] !== "local"),
  );
}

function scheduleId(random: Random): string {
  return random.pick([...SCHEDULES, "unknown"]);
}

const CRONS = [
  "*/20 * * * * *",
  "* * * * *",
  "@hourly",
  "0 9 * * 1-5",
  "30 4 1,15 * 5",
  "15 0 * * MON",
  "0 0 * * 0",
] as const;
/** Malformed, or days that never come. */
const BAD_CRONS = ["61 * * * *", "nonsense", "0 0 31 2 *", "* * *"] as const;

function scheduleCreate(random: Random) {
  const tags: Record<string, string>[] = [target, { ...target, kind: "x" }];
  const id = random.pick(SCHEDULES);
  // No two schedules make the same promise: which of them is first is not said.
  const own = id === "s" ? ["run-{{.timestamp}}", "e0"] : [];
  return {
    id,
    cron: random.pick(CRONS),
    promiseId: random.pick(["{{.id}}-{{.timestamp}}", "{{.id}}$&", ...own]),
    promiseTimeout: random.pick([0, 50, 10_000, 500_000]),
    promiseParam: random.pick([{}, { data: "x" }]),
    promiseTags: random.pick([...tags, { ...target, "resonate:timer": "true" }]),
  };
}

function create(random: Random, oracle: Oracle, id: string = newId(random, oracle)) {
  const timeoutAt = oracle.now + random.pick(TIMEOUTS);
  const tags = { ...random.pick(KINDS_OF_PROMISE), ...lineage(random, id) };
  const delay = oracle.now + random.pick([0, 1, 40]);
  const delayed = "resonate:target" in tags && delay < timeoutAt && random.chance(0.1);
  return {
    id,
    timeoutAt: Math.max(0, timeoutAt),
    param: random.pick([{}, { data: "x" }, { headers: { a: "b" }, data: "" }]),
    tags: delayed ? { ...tags, "resonate:delay": String(delay) } : tags,
  };
}

/** Most are long enough for something to happen, and a few end within the next events. */
const TIMEOUTS = [
  ...[-3, 0, 1, 5, 50, 500],
  ...[50_000, 50_000, 500_000, 500_000, 500_000, 5_000_000, 5_000_000, 5_000_000],
] as const;

/** What ids of either spelling may claim of their trees; older SDKs claim more, and are known by their prefix tag. */
function lineage(random: Random, id: string) {
  const root = /^\w+/.exec(id)?.[0] ?? "";
  if (random.chance(0.1)) {
    return { "resonate:prefix": root, "resonate:branch": "elsewhere", "resonate:parent": "z" };
  }
  const hasRoot = id === root || id[root.length] !== "/";
  return {
    ...(hasRoot && random.chance(0.6) && { "resonate:branch": root }),
    ...(hasRoot && random.chance(0.3) && { "resonate:origin": root }),
    ...(id.endsWith(".0.1") && random.chance(0.5) && { "resonate:parent": `${root}.0` }),
    ...(random.chance(0.1) && { "resonate:caller": "a" }),
  };
}

const target = { "resonate:target": "poll://any@g" };
const KINDS_OF_PROMISE = [
  {},
  { "resonate:scope": "local" },
  { "resonate:scope": "global" },
  { "resonate:external": "true" },
  { "resonate:timer": "true" },
  { ...target, "resonate:timer": "true" },
  target,
  target,
  target,
] as const;

function settle(random: Random, id: string) {
  return { id, state: random.pick(SETTLED), value: random.pick([{}, { data: "y" }]) };
}

function callback(random: Random, oracle: Oracle) {
  const awaiter = random.chance(0.7)
    ? claim(random, oracle, random.pick(["acquired", "suspended", "pending"])).id
    : anyId(random, oracle);
  const awaited = liveId(random, oracle, true);
  return awaited === awaiter ? { awaited: `${awaited}x`, awaiter } : { awaited, awaiter };
}

function searchPromises(random: Random) {
  return {
    state: random.pick([
      ...[null, null, "pending", "resolved"],
      ...["rejected", "rejected_canceled", "rejected_timedout"],
    ]),
    tags: random.pick([
      ...[null, {}, { "resonate:origin": "a" }, { "resonate:branch": "b" }, target],
      ...[{ "resonate:caller": "a" }, { "resonate:branch": "elsewhere", ...target }],
    ]),
    limit: random.pick([1, 3, 100]),
  };
}

const LEASES = [1, 50, 5_000, 500_000, 500_000, 500_000] as const;

function holder(random: Random) {
  return { pid: random.pick(["p1", "p2"]), ttl: random.pick(LEASES) };
}

/** Mostly the current version of a live task in this state. */
function claim(random: Random, oracle: Oracle, state: string) {
  const tasks = [...oracle.tasks.values()].filter((task) => {
    const { timeoutAt = 0 } = oracle.promises.get(task.id) ?? {};
    return task.state === state && timeoutAt > oracle.now;
  });
  const id =
    tasks.length > 0 && random.chance(0.85) ? random.pick(tasks).id : anyId(random, oracle);
  const version = (oracle.tasks.get(id)?.version ?? 0) + (random.chance(0.06) ? 1 : 0);
  return { id, version: random.chance(0.03) ? Math.max(0, version - 1) : version };
}

function taskCreate(random: Random, oracle: Oracle) {
  const given = create(random, oracle);
  const { "resonate:delay": _, ...tags } = given.tags as Record<string, string>;
  const data = { ...given, tags: { ...tags, ...target } };
  return { ...holder(random), action: { kind: "promise.create", head: {}, data } };
}

function fence(random: Random, oracle: Oracle) {
  const held = claim(random, oracle, "acquired");
  const other = (id: string) => (id === held.id ? `${id}x` : id);
  const action = random.chance(0.5)
    ? { kind: "promise.create", data: create(random, oracle, other(newId(random, oracle))) }
    : { kind: "promise.settle", data: settle(random, other(settledId(random, oracle))) };
  if (action.kind === "promise.create" || random.chance(0.5)) return { ...held, action };
  let next = newId(random, oracle);
  while (next === held.id || next === action.data.id) next += "y";
  const created = create(random, oracle, next);
  // biome-ignore lint/suspicious/noThenProperty: the wire's name; its value is an object, so nothing awaits it.
  return { ...held, action, then: { kind: "promise.create", data: created } };
}

/** Mostly one that is pending, and now and then one that is settled already, as was asked for perhaps. */
function settledId(random: Random, oracle: Oracle): string {
  return random.chance(0.2) ? anyId(random, oracle) : liveId(random, oracle);
}

function announcement(random: Random) {
  return {
    group: random.pick(["g", "g", "h"]),
    pid: random.pick(["p1", "p1", "p2"]),
    ttl: 1_000,
    slots: random.pick([1, 64]),
    functions: random.pick([{}, { f: [1] }, { f: [1, 2], "g h": [] }]),
  };
}

function suspend(random: Random, oracle: Oracle) {
  const held = claim(random, oracle, "acquired");
  const awaited = new Set(
    Array.from({ length: random.pick([1, 1, 2, 3]) }, () => liveId(random, oracle, true)),
  );
  if (random.chance(0.05)) awaited.add("unknown");
  awaited.delete(held.id);
  if (awaited.size === 0) awaited.add(`${held.id}x`);
  return {
    ...held,
    actions: [...awaited].map((one) => ({
      kind: "promise.register_callback",
      data: { awaited: one, awaiter: held.id },
    })),
  };
}

function fulfill(random: Random, oracle: Oracle) {
  const held = claim(random, oracle, "acquired");
  return { ...held, action: { kind: "promise.settle", data: settle(random, held.id) } };
}

/** The same request with one thing in it that no server may accept. */
function broken(random: Random, kind: string, data: Generated["data"]): Generated["data"] {
  const ways: readonly object[] = waysToBreak(data)[kind] ?? [{ id: "" }];
  return { ...data, ...random.pick(ways) };
}

/** For each kind, what to put over its data: every door that is checked before anything is looked up. */
function waysToBreak(data: Generated["data"]): Readonly<Record<string, readonly object[]>> {
  const badCreates = [
    { timeoutAt: -1 },
    { timeoutAt: 1.5 },
    { param: null },
    { id: "nul\0" },
    ...BAD_TAGS.map((tags) => ({ tags })),
  ];
  const badSettles = [{ state: "pending" }, { state: "rejected_timedout" }];
  const badClaims = [{ version: -1 }, { version: null }, { id: "" }];
  const badHolders = [{ ttl: 0 }, { pid: "" }];
  const badPages = [{ limit: 0 }, { limit: 1_001 }, { cursor: 7 }];
  /** An action with something put over its data. */
  const action = (over: object) => ({
    action: { ...data.action, data: { ...data.action?.data, ...over } },
  });
  const named = data.actions?.[0];
  return {
    "promise.create": badCreates,
    "promise.settle": badSettles,
    "promise.register_callback": [{ awaiter: data.awaited }, { awaited: "" }],
    "promise.register_listener": [
      ...["g", "poll://g", "poll://any@", "nats://any@g"].map((address) => ({ address })),
      { awaited: "" },
    ],
    "promise.search": [...badPages, { state: "acquired" }, { tags: { a: 1 } }],
    "task.create": [
      ...badHolders,
      ...badCreates.map(action),
      action({ tags: {} }),
      action({ tags: { ...target, "resonate:delay": "1" }, timeoutAt: 100 }),
    ],
    "task.acquire": [...badClaims, ...badHolders],
    "task.fence": [
      ...badClaims,
      action({ id: data.id }),
      action({ id: "" }),
      { action: { ...data.action, kind: "promise.get" } },
      { action: { kind: "promise.settle", data: { id: "z", state: "pending" } } },
      // biome-ignore-start lint/suspicious/noThenProperty: the wire's name; its value is an object, so nothing awaits it.
      { then: { kind: "promise.settle", data: { id: "z", state: "resolved" } } },
      { then: { kind: "promise.create", data: { id: data.id, timeoutAt: 1 } } },
      { then: { kind: "promise.create", data: { id: data.action?.data.id, timeoutAt: 1 } } },
      { then: { kind: "promise.create", data: { id: "z", timeoutAt: -1 } } },
      // biome-ignore-end lint/suspicious/noThenProperty: as above.
    ],
    "task.heartbeat": [{ tasks: [] }, { pid: "" }, { tasks: [{ id: "a" }] }],
    "task.suspend": [
      ...badClaims,
      { actions: [] },
      { actions: [...(data.actions ?? []), named] },
      { actions: [{ ...named, data: { awaited: data.id, awaiter: data.id } }] },
      { actions: [{ ...named, data: { ...named?.data, awaiter: `${data.id}x` } }] },
    ],
    "task.fulfill": [...badClaims, ...badSettles.map(action), action({ id: `${data.id}x` })],
    "task.release": badClaims,
    "task.search": [...badPages, { state: "resolved" }],
    "schedule.create": [
      { id: "a:b" },
      { cron: "" },
      { promiseId: "" },
      { promiseTimeout: -1 },
      { promiseTags: {} },
      { promiseTags: { "resonate:target": "poll://g" } },
    ],
    "worker.announce": [{ slots: 0 }, { ttl: 0 }, { pid: "" }, { functions: { f: ["1"] } }],
    "schedule.search": badPages,
  };
}

const BAD_TAGS = [
  { "resonate:target": "poll://g" },
  { "resonate:target": "" },
  { "resonate:branch": "elsewhere" },
  { "resonate:parent": "elsewhere" },
  { "resonate:origin": "elsewhere" },
  { "resonate:origin": "a:0" },
  { "resonate:prefix": "a:0" },
  { "resonate:delay": "1" },
  { ...target, "resonate:delay": "-1" },
  { ...target, "resonate:delay": "99999999999999" },
] as const;
