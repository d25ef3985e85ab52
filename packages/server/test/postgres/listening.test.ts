/** A listening connection that is dead without a word: hints are heard again, and until then looks find all there is. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import type { Hints } from "../../src/stores/store.ts";
import { postgresUrl } from "../support/every-store.ts";
import { Link } from "../support/link.ts";
import { until } from "../support/until.ts";

const NOBODY = { places: [], groups: [], wanting: [] };

let link: Link;
let stores: PostgresStore[] = [];
beforeEach(async () => {
  const url = await postgresUrl();
  link = await Link.to(url);
  const shared = { sessions: true, time: (instant: number) => instant };
  stores = await Promise.all(
    [url, link.url].map((by) => PostgresStore.open({ url: by, poolSize: 2, shared })),
  );
});
afterEach(async () => {
  // What is stranded says nothing, so those who wait for it are told first.
  await link.close();
  await Promise.all(stores.map((store) => store.close()));
});

test("it is given up when what its own server sent does not come back", async () => {
  const [other, deaf] = stores.flatMap(({ sharing }) => sharing ?? []);
  if (!other || !deaf) throw new Error("the stores are not shared");
  const heard: Hints[] = [];
  deaf.listen((hints) => heard.push(hints));
  const hears = async (group: string) => {
    other.hint({ groups: [group] });
    return heard.some(({ groups }) => groups.includes(group));
  };
  await until("it listens", () => hears("before"));

  link.strand();
  heard.length = 0;
  const look = () => deaf.look({ at: Date.now(), ...NOBODY }).catch(() => {});
  await until("it hears again", async () => {
    deaf.hint({ groups: ["own"] });
    void look();
    return hears("after");
  });

  expect(heard.every(({ groups }) => !groups.includes("own"))).toBe(true);
});
