/** What a database on another machine does wrong, and other writers do at the same time. */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredPromise } from "../../src/core/records.ts";
import { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import {
  CommitUnknownError,
  StoreUnavailableError,
  StoreUnusableError,
} from "../../src/stores/store.ts";
import { postgresUrl, promise } from "../support/every-store.ts";
import { Link } from "../support/link.ts";
import { Pgbouncer, pgbouncerWorks } from "../support/pgbouncer.ts";
import { startCluster } from "../support/postgres.ts";
import { until } from "../support/until.ts";
import { type Cut, Wire } from "../support/wire.ts";

const AT = 10;
const NO_TIME = { sessions: true, time: (instant: number) => instant };

let url: string;
let wire: Wire;
let admin: pg.Client;
const stores: PostgresStore[] = [];
beforeEach(async () => {
  url = await postgresUrl();
  wire = await Wire.to(url);
  admin = new pg.Client({ connectionString: url });
  await admin.connect();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await admin.end();
  await wire.close();
});

async function opened(options: { url?: string; confirmMs?: number; time?: boolean } = {}) {
  const { time = false, ...rest } = options;
  const shared = time ? NO_TIME : undefined;
  const store = await PostgresStore.open({ url, poolSize: 4, shared, ...rest });
  stores.push(store);
  return store;
}

function add(store: PostgresStore, id: string, work: () => void | Promise<void> = () => {}) {
  return store.transaction(async (tx) => {
    const { promises } = await tx.load({ promises: [id] });
    await work();
    const [before] = promises;
    const value = { data: String(Number(before?.value.data ?? 0) + 1) };
    await tx.write([{ put: "promise", record: promise(id, { value }) }]);
  }, AT);
}

async function countOf(store: PostgresStore, id: string): Promise<string | undefined> {
  const read = (records: readonly StoredPromise[]) => records[0]?.value.data;
  return store.transaction(async (tx) => read((await tx.load({ promises: [id] })).promises), AT);
}

describe("a commit whose answer is lost", () => {
  test.each<Cut>(["before", "after"])("(%s it was done) is done once", async (cut) => {
    const store = await opened({ url: wire.url });
    await add(store, "a");

    wire.cut = cut;
    await add(store, "a");

    expect(wire.cuts).toBe(1);
    expect(await countOf(store, "a")).toBe("2");
  });

  test("for good is said to be unknown, and the store goes on when the database is back", async () => {
    const store = await opened({ url: wire.url, confirmMs: 300 });
    await add(store, "a");

    wire.cut = "after";
    const unknown = add(store, "a", () => {
      wire.open = false;
    });

    await expect(unknown).rejects.toThrow(CommitUnknownError);
    wire.open = true;
    await add(store, "a");
    expect(await countOf(store, "a")).toBe("3");
  });
});

describe("a connection that breaks", () => {
  test("in the middle of a transaction is not noticed: it is run again", async () => {
    const store = await opened({ url: wire.url });
    await add(store, "a");
    let runs = 0;

    await add(store, "a", () => {
      if (++runs < 3) wire.sever();
    });

    expect([runs, await countOf(store, "a")]).toEqual([3, "2"]);
  });

  test("again and again, killed by the database, loses nothing that was answered", async () => {
    const store = await opened();
    let answered = 0;
    const killing = (async () => {
      for (let kill = 0; kill < 20; kill++) {
        await admin.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        await until("some more were answered", () => answered > kill * 5);
      }
    })();
    for (let count = 0; count < 120; count++) {
      await add(store, "a");
      answered++;
    }
    await killing;

    expect(await countOf(store, "a")).toBe("120");
  });

  test("whenever it is idle in a transaction, killed by the database, loses nothing that was answered", async () => {
    const store = await opened();
    let over = false;
    let kills = 0;
    const killing = (async () => {
      while (!over) {
        const { rowCount } = await admin.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
        );
        kills += rowCount ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    for (let count = 0; count < 60 || kills < 5; count++) {
      const before = kills;
      let met = false;
      await add(store, "a", async () => {
        // Every tenth waits until it is killed, once.
        if (count % 10 === 0 && !met) await until("it was killed", () => kills > before);
        met = true;
      });
      expect(await countOf(store, "a")).toBe(String(count + 1));
    }
    over = true;
    await killing;
  });

  test("for longer than anyone waits is 'unavailable', and writable again with the next write", async () => {
    const store = await opened({ url: wire.url });
    await add(store, "a");
    wire.open = false;
    wire.sever();

    await expect(add(store, "a")).rejects.toThrow(StoreUnavailableError);
    expect(store.writable).toBe(false);
    await expect(store.due(AT, 10)).rejects.toThrow(StoreUnavailableError);

    wire.open = true;
    await add(store, "a");
    expect([store.writable, await countOf(store, "a")]).toEqual([true, "2"]);
  });

  test("of which nobody hears keeps others from its rows for a few seconds only", async () => {
    const link = await Link.to(url);
    const [lost, other] = [await opened({ url: link.url }), await opened()];
    await add(lost, "a");
    let holds = false;

    const first = add(lost, "a", () => {
      if (!holds) link.fail("silence");
      holds = true;
    });
    await until("it holds the row", () => holds);
    await add(other, "a");
    expect(await countOf(other, "a")).toBe("2");
    link.heal();

    await expect(first).rejects.toThrow(StoreUnavailableError);
    await add(lost, "a");
    expect(await countOf(other, "a")).toBe("3");
    await link.close();
  });

  test("leaves no connection behind", async () => {
    const store = await opened();
    for (let count = 0; count < 10; count++) {
      await add(store, "a", async () => {
        if (count % 2 === 1) return;
        await admin.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        count++;
      });
    }

    const { rows } = await admin.query(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database()",
    );
    expect(rows[0].count).toBeLessThanOrEqual(1 + 4);
  });
});

test("a database that has no connection left: what has one goes on, and the rest when there are more", async () => {
  const cluster = await startCluster(["max_connections=8", "superuser_reserved_connections=0"]);
  const others: pg.Client[] = [];
  try {
    const store = await opened({ url: cluster.url });
    await add(store, "a");
    for (let refused = false; !refused; ) {
      const other = new pg.Client({ connectionString: cluster.url });
      other.on("error", () => {});
      refused = await other.connect().then(
        () => !others.push(other),
        () => true,
      );
    }

    await add(store, "a");
    await expect(store.due(AT, 10)).rejects.toThrow(StoreUnavailableError);
    await Promise.all(others.splice(0).map((other) => other.end()));

    await store.due(AT, 10);
    expect(await countOf(store, "a")).toBe("2");
    await stores.splice(stores.indexOf(store), 1)[0]?.close();
  } finally {
    await Promise.all(others.map((other) => other.end()));
    await cluster.stop();
  }
});

describe("writers at the same time", () => {
  test("of one new promise: the second sees what the first created", async () => {
    const [one, two] = [await opened(), await opened()];
    let runs = 0;

    const first = add(one, "a", () => until("the second has looked", () => runs > 0));
    const second = add(two, "a", async () => {
      // It has found nothing, and goes on when there is something.
      if (++runs === 1) await first;
    });
    await Promise.all([first, second]);

    expect(await countOf(one, "a")).toBe("2");
    expect(runs).toBe(2);
  });

  test("in opposite orders get out of each other's way", async () => {
    const both = [await opened(), await opened(), await opened()];
    await add(stores[0] as PostgresStore, "a");
    await add(stores[0] as PostgresStore, "b");

    await Promise.all(
      both.flatMap((store, at) =>
        Array.from({ length: 10 }, () =>
          store.transaction(async (tx) => {
            const order = at % 2 === 0 ? ["a", "b"] : ["b", "a"];
            for (const id of order) {
              const [before] = (await tx.load({ promises: [id] })).promises;
              const value = { data: String(Number(before?.value.data) + 1) };
              await tx.write([{ put: "promise", record: promise(id, { value }) }]);
            }
          }, AT),
        ),
      ),
    );

    const [store] = both;
    expect([
      await countOf(store as PostgresStore, "a"),
      await countOf(store as PostgresStore, "b"),
    ]).toEqual(["31", "31"]);
  }, 60_000);

  test("where the database refuses what it cannot put in order: each is done once", async () => {
    const name = (await admin.query("SELECT current_database() AS name")).rows[0].name;
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    try {
      const both = [await opened(), await opened(), await opened()];
      await Promise.all(both.flatMap((store) => Array.from({ length: 20 }, () => add(store, "a"))));

      expect(await countOf(both[0] as PostgresStore, "a")).toBe("60");
    } finally {
      await admin.query(`ALTER DATABASE ${name} RESET default_transaction_isolation`);
    }
  }, 60_000);

  test("decide by an instant that was read after the others had ended", async () => {
    const [one, two] = [await opened({ time: true }), await opened({ time: true })];
    await add(one, "a");
    let ended = 0;
    let at: number | undefined;
    let second: Promise<void> | undefined;

    await add(one, "a", async () => {
      second = two.transaction(async (tx) => {
        at = (await tx.load({ promises: ["a"] })).at;
      }, AT);
      await until("the second waits", async () => (await waiting()) > 0);
      ended = (await admin.query("SELECT extract(epoch FROM clock_timestamp()) * 1000 AS at"))
        .rows[0].at;
    });
    await second;

    expect(at).toBeGreaterThanOrEqual(Math.floor(ended));
  });

  test("that open the store at once all find it", async () => {
    await admin.query("DROP SCHEMA resonate CASCADE");

    const all = await Promise.all(Array.from({ length: 5 }, () => opened()));

    for (const store of all) await add(store, "a");
    expect(await countOf(all[0] as PostgresStore, "a")).toBe("5");
  });
});

describe("a store", () => {
  test("keeps a floor for the clock, also in a commit that only reads, once a second", async () => {
    await admin.query("UPDATE resonate.meta SET value = 0 WHERE name = 'clock_floor'");
    const store = await opened();
    const seen: unknown[] = [];
    for (const at of [5_000, 5_001, 6_000, 6_001, 6_500]) {
      await store.transaction((tx) => tx.load({ promises: ["a"] }), at);
      seen.push((await opened()).clockFloor);
    }

    expect(seen).toEqual([6_000, 6_000, 6_000, 7_001, 7_001]);
  });

  test("of a newer version is refused, and is as it was", async () => {
    await admin.query("UPDATE resonate.meta SET value = value + 97 WHERE name = 'schema'");
    try {
      await expect(opened()).rejects.toThrow(StoreUnusableError);
      await expect(opened()).rejects.toThrow("schema 99");
    } finally {
      await admin.query("UPDATE resonate.meta SET value = value - 97 WHERE name = 'schema'");
    }
  });

  test("that cannot be reached is said to be so, without its password", async () => {
    const wrong = "postgres://user:secret@127.0.0.1:1/nothing";

    await expect(opened({ url: wrong })).rejects.toThrow("127.0.0.1:1/nothing cannot be used");
    await expect(opened({ url: wrong })).rejects.not.toThrow("secret");
  });

  test.skipIf(!pgbouncerWorks)(
    "behind a pooler that it was not told of says what to set",
    async () => {
      const pooler = await Pgbouncer.to(url);
      try {
        await expect(opened({ url: pooler.url })).rejects.toThrow("set storage.postgres.pooler");
      } finally {
        await pooler.stop();
      }
    },
  );

  test("whose row was changed behind its back does not serve it", async () => {
    const store = await opened();
    await add(store, "a");
    await admin.query("UPDATE resonate.promises SET value = '{\"data\":\"7\"}' WHERE id = 'a'");

    await expect(countOf(store, "a")).rejects.toThrow("'a' is damaged");
  });
});

/** How many connections wait for a lock. */
async function waiting(): Promise<number> {
  const { rows } = await admin.query(
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return rows[0].count;
}
