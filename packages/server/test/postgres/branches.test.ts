/**
 * Two writers of one branch: the one that comes later sees the other, whatever was there before. Each pair of transactions
 * is stopped where both have read and neither has committed.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredPromise } from "../../src/core/records.ts";
import type { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import type { Transaction } from "../../src/stores/store.ts";
import { emptyPostgres, openPostgres, promise } from "../support/every-store.ts";

const AT = 10;
const of = (branch: string) => ({ tags: { "resonate:branch": branch } });

let one: PostgresStore;
let other: PostgresStore;
beforeEach(async () => {
  one = await emptyPostgres();
  other = await openPostgres();
});
afterEach(async () => {
  await one.close();
  await other.close();
});

type Read = (tx: Transaction, branch: string) => Promise<readonly StoredPromise[]>;

/** How a branch can be read: what is not read with others is read by itself, as the engine does. */
const WAYS: readonly (readonly [string, Read])[] = [
  ["by itself", (tx, branch) => tx.branch(branch)],
  [
    "with others",
    async (tx, branch) => {
      const read = await tx.ahead?.({ branches: ["other", branch], awaiters: [] }, 1_000_000);
      return read?.branches.get(branch) ?? tx.branch(branch);
    },
  ],
];

/** Lets nobody pass before both have come, or one of them waits for the other's lock. */
function meeting() {
  let came = 0;
  const met = Promise.withResolvers<void>();
  return async () => {
    if (++came === 2) met.resolve();
    await Promise.race([met.promise, new Promise((resolve) => setTimeout(resolve, 100))]);
  };
}

/** Reads a branch, and creates a promise; gives what was read when it was committed. */
function readAndCreate(
  store: PostgresStore,
  {
    id,
    branch,
    read: readBranch,
    meet,
  }: { id: string; branch: string; read: Read; meet: () => Promise<void> },
): Promise<readonly string[]> {
  return store.transaction(async (tx) => {
    await tx.load({ promises: [id] });
    const read = await readBranch(tx, branch);
    await meet();
    await tx.write([{ put: "promise", record: promise(id, of(branch)) }]);
    return read.map((record) => record.id);
  }, AT);
}

async function add(id: string, branch: string, by = one): Promise<void> {
  await by.transaction(async (tx) => {
    await tx.load({ promises: [id] });
    await tx.write([{ put: "promise", record: promise(id, of(branch)) }]);
  }, AT);
}

const READY: readonly (readonly [string, readonly string[]])[] = [
  ["with its first promise", ["b"]],
  ["without its first promise", ["b:0"]],
  ["of which there is nothing", []],
];

const CASES = WAYS.flatMap(([way, read]) =>
  READY.map(([state, before]) => [way, state, { read, before }] as const),
);

describe.each(CASES)("in a branch, read %s, %s", (_, __, { read, before }) => {
  const pairs: readonly (readonly [string, string])[] = [
    ["b:1", "b:2"],
    ["b:2", "b:1"],
    ["b", "b:1"],
    ["b:1", "b"],
  ];

  test.each(pairs.filter((pair) => !pair.some((id) => before.includes(id))))(
    "one creates %s, the other %s, and the later one has seen the earlier",
    async (first, second) => {
      for (const id of before) await add(id, "b");
      const meet = meeting();

      const [seenByOne, seenByOther] = await Promise.all([
        readAndCreate(one, { id: first, branch: "b", read, meet }),
        readAndCreate(other, { id: second, branch: "b", read, meet }),
      ]);

      expect([seenByOne.includes(second), seenByOther.includes(first)].toSorted()).toEqual([
        false,
        true,
      ]);
      expect(seenByOne).toEqual(expect.arrayContaining([...before]));
    },
  );
});

test.each(WAYS)(
  "who reads a branch %s does not see a promise as pending that another settles first",
  async (_, readBranch) => {
    await add("b", "b");
    await add("b:0", "b");
    const order: string[] = [];
    const settle = async () => {
      await other.transaction(async (tx) => {
        await tx.load({ promises: ["b:0"] });
        const settled = promise("b:0", { ...of("b"), state: "resolved", settledAt: AT });
        await tx.write([{ put: "promise", record: settled }]);
      }, AT);
      order.push("settled");
    };
    let settling: Promise<void> | undefined;

    const state = await one.transaction(async (tx) => {
      const read = await readBranch(tx, "b");
      settling ??= settle();
      // Long enough for it to be done, if nothing keeps it waiting.
      await Promise.race([settling, new Promise((resolve) => setTimeout(resolve, 100))]);
      await tx.write([{ put: "promise", record: promise("b:1", of("b")) }]);
      return read.find(({ id }) => id === "b:0")?.state;
    }, AT);
    order.push("read");
    await settling;

    expect(state).toBe(order[0] === "read" ? "pending" : "resolved");
  },
);

test("what was absent when it was decided on is not written over when another has created it", async () => {
  const create = (store: PostgresStore, createdAt: number, meanwhile = async () => {}) =>
    store.transaction(async (tx) => {
      const { promises } = await tx.load({ promises: ["a"] });
      if (promises[0]) return promises[0].createdAt;
      await meanwhile();
      await tx.load({ obligations: ["a"] });
      await tx.write([{ put: "promise", record: promise("a", { createdAt }) }]);
      return createdAt;
    }, AT);
  let once = false;

  const shown = await create(one, 2, async () => {
    if (!once) await create(other, 1);
    once = true;
  });

  expect(shown).toBe(1);
});

test.each(WAYS)(
  "what was absent when it was decided on is not shown by a branch that is read later %s",
  async (_, readBranch) => {
    await add("b", "b");
    const seen: (readonly string[])[] = [];

    await one.transaction(async (tx) => {
      const { promises } = await tx.load({ promises: ["b:0"] });
      if (seen.length === 0) await add("b:0", "b", other);
      const absent = promises.length === 0;
      seen.push([]);
      const read = await readBranch(tx, "b");
      seen.splice(-1, 1, [absent ? "absent" : "present", ...read.map(({ id }) => id)]);
    }, AT);

    expect(seen.at(-1)).toEqual(["present", "b", "b:0"]);
  },
);
