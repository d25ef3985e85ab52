/** Random requests over a few ids: most of them make sense in the state that the oracle is in. */
import type { Oracle } from "./oracle.ts";
import type { Random } from "./random.ts";

export interface Generated {
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: the requests of all kinds.
  readonly data: any;
  readonly preload?: "none" | "delta";
  /** Made invalid on purpose: the answer must be 400. */
  readonly broken?: true;
}

/** The ids of one episode. */
export const IDS = ["a", "a:0", "a:1", "a:1.0", "b", "b:0", "c", "d", "e", "unknown"] as const;
const NEW_IDS = IDS.slice(0, -1);
const ADDRESSES = ["poll://any@g", "poll://uni@g/w", "poll://any@h/w"] as const;
const SETTLED = ["resolved", "rejected", "rejected_canceled"] as const;

type Make = (random: Random, oracle: Oracle) => Generated["data"];

const kinds: Readonly<Record<string, { readonly weight: number; readonly make: Make }>> = {
  "promise.get": { weight: 1, make: (random) => ({ id: anyId(random) }) },
  "promise.create": { weight: 8, make: (random, oracle) => create(random, oracle) },
  "promise.settle": { weight: 4, make: (random) => settle(random, anyId(random)) },
  "promise.register_callback": { weight: 4, make: callback },
  "promise.register_listener": {
    weight: 3,
    make: (random) => ({ awaited: anyId(random), address: random.pick(ADDRESSES) }),
  },
  "promise.search": { weight: 1, make: searchPromises },
  "task.get": { weight: 1, make: (random) => ({ id: anyId(random) }) },
  "task.create": { weight: 6, make: taskCreate },
  "task.acquire": {
    weight: 8,
    make: (random, oracle) => ({ ...claim(random, oracle), ...holder(random) }),
  },
  "task.fence": { weight: 4, make: fence },
  "task.heartbeat": {
    weight: 3,
    make: (random, oracle) => ({
      pid: holder(random).pid,
      tasks: [claim(random, oracle), claim(random, oracle)],
    }),
  },
  "task.suspend": { weight: 8, make: suspend },
  "task.fulfill": { weight: 3, make: fulfill },
  "task.release": { weight: 3, make: claim },
  "task.halt": { weight: 2, make: (random) => ({ id: anyId(random) }) },
  "task.continue": { weight: 2, make: halted },
  "task.search": {
    weight: 1,
    make: (random) => ({
      state: random.pick([null, "pending", "acquired", "fulfilled"]),
      limit: 4,
    }),
  },
};

const lottery = Object.entries(kinds).flatMap(([kind, { weight }]) => Array(weight).fill(kind));
const PRELOADED = ["task.create", "task.acquire", "task.fence", "task.suspend"];

export function generate(random: Random, oracle: Oracle): Generated {
  const kind: string = random.pick(lottery);
  const data = kinds[kind]?.make(random, oracle);
  if (random.chance(0.04)) return { kind, data: broken(random, kind, data), broken: true };
  const preload = PRELOADED.includes(kind) && random.chance(0.5);
  return { kind, data, ...(preload && { preload: random.pick(["none", "delta"] as const) }) };
}

function anyId(random: Random): string {
  return random.pick(IDS);
}

function create(random: Random, oracle: Oracle, id: string = random.pick(NEW_IDS)) {
  const timeoutAt = oracle.now + random.pick([-3, 0, 1, 5, 50, 500, 50_000, 500_000]);
  const tags = {
    ...random.pick(KINDS_OF_PROMISE),
    ...(id.startsWith("a") && random.chance(0.7) && { "resonate:branch": "a" }),
    ...(random.chance(0.3) && { "resonate:origin": id.split(":")[0] }),
  };
  const delay = oracle.now + random.pick([0, 1, 40]);
  const delayed = "resonate:target" in tags && delay < timeoutAt && random.chance(0.1);
  return {
    id,
    timeoutAt: Math.max(0, timeoutAt),
    param: random.pick([{}, { data: "x" }, { headers: { a: "b" }, data: "" }]),
    tags: delayed ? { ...tags, "resonate:delay": String(delay) } : tags,
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

function callback(random: Random) {
  const awaiter = anyId(random);
  return { awaited: random.pick(IDS.filter((id) => id !== awaiter)), awaiter };
}

function searchPromises(random: Random) {
  return {
    state: random.pick([null, "pending", "resolved", "rejected_timedout"]),
    tags: random.pick([{}, { "resonate:origin": "a" }, target]),
    limit: random.pick([1, 3, 100]),
  };
}

function holder(random: Random) {
  return { pid: random.pick(["p1", "p2"]), ttl: random.pick([1, 5, 50, 5_000, 500_000]) };
}

/** Mostly the current claim of a task that exists. */
function claim(random: Random, oracle: Oracle) {
  const tasks = [...oracle.tasks.values()];
  const id = tasks.length > 0 && random.chance(0.9) ? random.pick(tasks).id : anyId(random);
  const version = (oracle.tasks.get(id)?.version ?? 0) + (random.chance(0.1) ? 1 : 0);
  return { id, version };
}

/** Mostly the claim of a task that someone holds. */
function heldClaim(random: Random, oracle: Oracle) {
  const held = [...oracle.tasks.values()].filter(({ state }) => state === "acquired");
  if (held.length === 0 || random.chance(0.2)) return claim(random, oracle);
  const { id, version } = random.pick(held);
  return { id, version };
}

function halted(random: Random, oracle: Oracle) {
  const tasks = [...oracle.tasks.values()].filter(({ state }) => state === "halted");
  return { id: tasks.length > 0 && random.chance(0.8) ? random.pick(tasks).id : anyId(random) };
}

function taskCreate(random: Random, oracle: Oracle) {
  const given = create(random, oracle);
  const { "resonate:delay": _, ...tags } = given.tags as Record<string, string>;
  const data = { ...given, tags: { ...tags, ...target } };
  return { ...holder(random), action: { kind: "promise.create", head: {}, data } };
}

function fence(random: Random, oracle: Oracle) {
  const held = heldClaim(random, oracle);
  const inner = random.pick(NEW_IDS.filter((id) => id !== held.id));
  const action = random.chance(0.5)
    ? { kind: "promise.create", data: create(random, oracle, inner) }
    : {
        kind: "promise.settle",
        data: settle(random, held.id !== "unknown" && random.chance(0.1) ? "unknown" : inner),
      };
  return { ...held, action };
}

function suspend(random: Random, oracle: Oracle) {
  const held = heldClaim(random, oracle);
  const others = IDS.filter(
    (id) => id !== held.id && (oracle.promises.has(id) || random.chance(0.1)),
  );
  const awaited = others.filter(() => random.chance(0.4));
  const some = awaited.length > 0 ? awaited : [random.pick(IDS.filter((id) => id !== held.id))];
  return {
    ...held,
    actions: some.map((one) => ({
      kind: "promise.register_callback",
      data: { awaited: one, awaiter: held.id },
    })),
  };
}

function fulfill(random: Random, oracle: Oracle) {
  const held = heldClaim(random, oracle);
  return { ...held, action: { kind: "promise.settle", data: settle(random, held.id) } };
}

/** The same request with one thing in it that no server may accept. */
function broken(random: Random, kind: string, data: Generated["data"]): Generated["data"] {
  const ways: readonly (() => unknown)[] = {
    "promise.create": [
      () => ({ ...data, timeoutAt: -1 }),
      () => ({ ...data, tags: { "resonate:target": "poll://g" } }),
      () => ({ ...data, tags: { "resonate:branch": "elsewhere" } }),
      () => ({ ...data, tags: { "resonate:delay": "1" } }),
      () => ({ ...data, param: null }),
    ],
    "promise.settle": [
      () => ({ ...data, state: "pending" }),
      () => ({ ...data, state: "rejected_timedout" }),
    ],
    "promise.register_callback": [() => ({ ...data, awaiter: data.awaited })],
    "promise.register_listener": [() => ({ ...data, address: "g" })],
    "promise.search": [() => ({ ...data, limit: 0 }), () => ({ ...data, limit: 1_001 })],
    "task.create": [
      () => ({ ...data, ttl: 0 }),
      () => ({ ...data, action: { ...data.action, data: { id: "a", timeoutAt: 1 } } }),
    ],
    "task.acquire": [() => ({ ...data, ttl: 0 }), () => ({ ...data, pid: "" })],
    "task.fence": [
      () => ({ ...data, action: { ...data.action, data: { ...data.action.data, id: data.id } } }),
      () => ({ ...data, action: { ...data.action, kind: "promise.get" } }),
    ],
    "task.heartbeat": [() => ({ ...data, tasks: [] })],
    "task.suspend": [
      () => ({ ...data, actions: [] }),
      () => ({ ...data, actions: [...data.actions, data.actions[0]] }),
      () => ({
        ...data,
        actions: [{ kind: "x", data: { awaited: data.id, awaiter: data.id } }],
      }),
    ],
    "task.fulfill": [
      () => ({
        ...data,
        action: { ...data.action, data: { id: `${data.id}x`, state: "resolved" } },
      }),
    ],
    "task.search": [() => ({ ...data, state: "resolved" })],
  }[kind] ?? [() => ({ ...data, id: "" })];
  return random.pick(ways)();
}
