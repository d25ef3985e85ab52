/** Every statement of the hot paths is a key look-up or an index range, also where its plan was made on an empty table. */
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PLANNING } from "../../src/stores/postgres/connections.ts";
import { INSIGHT } from "../../src/stores/postgres/insight.ts";
import { PARTS } from "../../src/stores/postgres/parts.ts";
import * as statements from "../../src/stores/postgres/statements.ts";
import { WAITING } from "../../src/stores/postgres/survey.ts";
import { postgresUrl } from "../support/every-store.ts";

/** They read all there is, for debugging, or are about tables of a few rows. */
const OTHERS =
  /^(ALL_|DELETE_ALL|COLUMNS|CLOCKS|RAISE_FLOOR|STATUS_OF|TRANSACTION|NOTIFY|TAKE_BLOCKS|ELSEWHERE)/;

let client: pg.Client;
beforeAll(async () => {
  client = new pg.Client({ connectionString: await postgresUrl() });
  await client.connect();
  for (const name of PLANNING) await client.query(`SET ${name} = off`);
});
afterAll(() => client.end());

const looks = Object.entries({ ...INSIGHT, WAITING });
const reads = Object.entries(statements).flatMap(([name, text]) =>
  typeof text === "string" && !OTHERS.test(name) ? [[name, text] as const] : [],
);
const writes = PARTS.map(({ name, types, sql }) => {
  const places = types.map((type, at) => `$${at + 1}::${type}[]`);
  return [name, sql(`unnest(${places.join(", ")})`)] as const;
});

test("there are statements to look at", () => {
  expect(reads.length).toBeGreaterThan(12);
  expect(writes.length).toBeGreaterThan(12);
});

test.each([...reads, ...looks, ...writes])("%s reads no table from end to end", async (_, text) => {
  const { rows } = await client.query(`EXPLAIN (GENERIC_PLAN) ${text}`);
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");

  expect(plan).not.toMatch(/Seq Scan on (promises|callbacks|resumes|listeners|schedules)/);
});
