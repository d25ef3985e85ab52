/** Bringing the tables up to date, with the connection cut at every statement (R27). */
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import { postgresUrl, promise } from "../support/every-store.ts";

const AT = 10;

let url: string;
let admin: pg.Client;
beforeEach(async () => {
  url = await postgresUrl();
  admin = new pg.Client({ connectionString: url });
  await admin.connect();
});
afterEach(async () => {
  vi.restoreAllMocks();
  // The tables are there for whoever has the database next.
  await (await PostgresStore.open({ url, poolSize: 2 })).close();
  await admin.end();
});

test("a migration that is cut off before any statement has happened in full or not at all, and the next start goes on", async () => {
  let cuts = 0;
  const seen = new Set<number>();
  for (let statement = 1; await cutAt(statement); statement++) {
    cuts++;
    seen.add((await tables()).length);

    const store = await PostgresStore.open({ url, poolSize: 2 });
    await store.transaction((tx) => tx.write([{ put: "promise", record: promise("a") }]), AT);
    await store.close();
  }
  // Of the transaction: its begin, its end, and what is between them.
  expect(cuts).toBeGreaterThan(6);
  expect(seen).toEqual(new Set([0, (await tables()).length]));
});

test("the tables are the same whether they were made in one go or after any number of cuts", async () => {
  await admin.query("DROP SCHEMA resonate CASCADE");
  await (await PostgresStore.open({ url, poolSize: 2 })).close();
  const made = await columns();

  await cutAt(6);
  await (await PostgresStore.open({ url, poolSize: 2 })).close();

  expect(made.length).toBeGreaterThan(30);
  expect(await columns()).toEqual(made);
});

/** Opens a store on no tables, and kills its connection before so many statements; whether there are that many. */
async function cutAt(statement: number): Promise<boolean> {
  await admin.query("DROP SCHEMA IF EXISTS resonate CASCADE");
  const query = pg.Client.prototype.query;
  let asked = 0;
  const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    // biome-ignore lint/suspicious/noExplicitAny: the driver takes questions of many shapes.
    ...question: any[]
  ) {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const ask = () => (query as any).apply(this, question);
    if (this === admin || ++asked !== statement) return ask();
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    return (query as any).call(admin, KILL_OTHERS).then(ask);
  });
  const opened = await PostgresStore.open({ url, poolSize: 2 }).catch(() => undefined);
  spy.mockRestore();
  await opened?.close();
  return opened === undefined;
}

const KILL_OTHERS =
  "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

async function tables(): Promise<readonly string[]> {
  const { rows } = await admin.query(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'resonate'",
  );
  return rows.map(({ tablename }) => tablename);
}

async function columns(): Promise<readonly string[]> {
  const { rows } = await admin.query(
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'resonate' ORDER BY 1, 2",
  );
  return rows.map((row) => Object.values(row).join(" "));
}
