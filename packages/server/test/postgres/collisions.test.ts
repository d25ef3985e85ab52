/** Transactions that want the same rows get out of each other's way at once, and do not meet a second time. */
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import { LOCK_PROMISES } from "../../src/stores/postgres/statements.ts";
import { postgresUrl, promise } from "../support/every-store.ts";
import { until } from "../support/until.ts";

const AT = 10;
const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";

let url: string;
let stores: readonly [PostgresStore, PostgresStore];
let asked: Asked;
beforeEach(async () => {
  url = await postgresUrl();
  stores = [await PostgresStore.open(options()), await PostgresStore.open(options())];
  asked = watch();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(stores.map((store) => store.close()));
});

test("two that lock two promises in opposite orders: who gives way locks both in order the next time", async () => {
  await createMissing(stores[0], ["a", "b"]);
  asked.locked.length = 0;
  let holding = 0;
  let runs = 0;

  await Promise.all([inOrder(stores[0], ["a", "b"], meet), inOrder(stores[1], ["b", "a"], meet)]);

  // One gives way, or both where both had waited equally long; the next time nobody does.
  expect([1, 2]).toContain(asked.failures.length);
  expect(new Set(asked.failures)).toEqual(new Set([LOCK_NOT_AVAILABLE]));
  expect(runs).toBe(2 + asked.failures.length);
  const again = asked.locked.filter((ids) => ids.length === 2).map((ids) => [...ids].sort());
  expect(again).toEqual(asked.failures.map(() => ["a", "b"]));
  async function meet() {
    runs++;
    holding++;
    if (runs <= 2) await until("both hold one", () => holding >= 2);
  }
});

test("where the database finds the deadlock before anyone gives way, both are done all the same", async () => {
  await createMissing(stores[0], ["a", "b"]);
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const name = (await admin.query("SELECT current_database() AS name")).rows[0].name;
  await admin.query(`ALTER DATABASE ${name} SET deadlock_timeout = '1ms'`);
  const eager = [await PostgresStore.open(options()), await PostgresStore.open(options())] as const;
  try {
    let holding = 0;
    const meet = async () => {
      if (++holding <= 2) await until("both hold one", () => holding >= 2);
    };

    await Promise.all([inOrder(eager[0], ["a", "b"], meet), inOrder(eager[1], ["b", "a"], meet)]);

    expect(asked.failures).toContain(DEADLOCK_DETECTED);
  } finally {
    await Promise.all(eager.map((store) => store.close()));
    await admin.query(`ALTER DATABASE ${name} RESET deadlock_timeout`);
    await admin.end();
  }
});

test("the first rows are waited for longer than what is wanted later", async () => {
  const seen: string[] = [];
  await createMissing(stores[0], ["a"], async () => void seen.push(await asked.patience()));

  await createMissing(stores[0], ["a"], async () => void seen.push(await asked.patience()));

  // Where nothing was there, nothing is held that another could be waiting for.
  expect(seen).toEqual(["2s", "20ms"]);
});

test("what is wanted first is waited for, however long another holds it", async () => {
  await createMissing(stores[0], ["a"]);
  asked.locked.length = 0;
  const longMs = 120;
  let held = false;
  let runs = 0;

  const first = inOrder(stores[0], ["a"], async () => {
    held = true;
    await until("the second waits", () => asked.locked.length === 2);
    // The test is about this time.
    await new Promise((resolve) => setTimeout(resolve, longMs));
  });
  await until("it is held", () => held);
  await Promise.all([first, inOrder(stores[1], ["a"], () => void runs++)]);

  expect([runs, asked.failures]).toEqual([1, []]);
});

test("two that create the same promises in opposite orders: the second sees what the first created, and nobody gives way", async () => {
  let looked = 0;
  const both = async () => {
    looked++;
    if (looked <= 2) await until("both have found nothing", () => looked >= 2);
  };
  const ids = Array.from({ length: 200 }, (_, at) => `p${at}`);

  const runs = await Promise.all([
    createMissing(stores[0], ids, both),
    createMissing(stores[1], [...ids].reverse(), both),
  ]);

  expect(runs.sort()).toEqual([1, 2]);
  expect(asked.failures).toEqual([]);
});

function options() {
  return { url, poolSize: 2 };
}

/** Locks one after the other, with something between the first and the others. */
function inOrder(
  store: PostgresStore,
  ids: readonly string[],
  between: () => void | Promise<void>,
): Promise<void> {
  return store.transaction(async (tx) => {
    for (const [at, id] of ids.entries()) {
      await tx.load({ promises: [id] });
      if (at === 0) await between();
    }
    await tx.write(
      ids.map((id) => ({ put: "promise", record: promise(id, { value: { data: id } }) })),
    );
  }, AT);
}

/** Creates what is not there; gives how often it was run. */
async function createMissing(
  store: PostgresStore,
  ids: readonly string[],
  looked: () => void | Promise<void> = () => {},
): Promise<number> {
  let runs = 0;
  await store.transaction(async (tx) => {
    runs++;
    const found = new Set((await tx.load({ promises: ids })).promises.map(({ id }) => id));
    await looked();
    const missing = ids.filter((id) => !found.has(id));
    await tx.write(missing.map((id) => ({ put: "promise", record: promise(id) })));
  }, AT);
  return runs;
}

interface Asked {
  /** Ids of each question that locks promises. */
  readonly locked: (readonly string[])[];
  /** The codes of errors that the database answered with. */
  readonly failures: string[];
  /** How long the transaction that asked last waits for a lock, as the database shows it. */
  patience(): Promise<string>;
}

/** Sees what is asked of the database. */
function watch(): Asked {
  const asked: Asked = {
    locked: [],
    failures: [],
    patience: async () => (await last?.query("SHOW lock_timeout"))?.rows[0].lock_timeout,
  };
  let last: pg.Client | undefined;
  const query = pg.Client.prototype.query;
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    // biome-ignore lint/suspicious/noExplicitAny: the driver takes questions of many shapes.
    ...question: any[]
  ) {
    const [config] = question;
    if (config.text === LOCK_PROMISES) {
      asked.locked.push(config.values[0]);
      last = this;
    }
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const answer = (query as any).apply(this, question);
    answer?.catch?.((error: { code?: string }) => asked.failures.push(String(error.code)));
    return answer;
  });
  return asked;
}
