import type { Tags } from "@resonate-ts/protocol";
import { expect, test } from "vitest";
import {
  claimedCreate,
  global,
  Lab,
  NOW,
  onEveryStore,
  suspend,
  targeted,
} from "../support/lab.ts";

const AGE_MS = 100_000;
/** Longer than retention takes to look at a few trees again. */
const SOON_MS = 20_000;
/** Nothing else happens so late. */
const LATE = NOW + 10_000_000;

const of = (origin: string, tags: Tags = {}): Tags => ({ "resonate:origin": origin, ...tags });
const left = async (lab: Lab) => {
  const { promises } = await lab.ok("promise.search", { tags: {}, limit: 1_000 });
  return promises.map(({ id }: { id: string }) => id);
};

onEveryStore(
  "retention",
  (lab) => {
    test("forgets a tree when all of it has settled that long ago, and not before", async () => {
      await lab().create("r", { tags: of("r"), timeoutAt: LATE });
      await lab().create("r:0", { tags: of("r"), timeoutAt: LATE });
      await lab().create("r:1", { tags: of("r"), timeoutAt: LATE });
      for (const id of ["r", "r:0"]) await lab().resolve(id);
      await lab().advance(AGE_MS + SOON_MS);
      expect(await left(lab())).toEqual(["r", "r:0", "r:1"]);
      await lab().resolve("r:1");

      await lab().advance(AGE_MS - 1);
      expect(await left(lab())).toEqual(["r", "r:0", "r:1"]);
      await lab().advance(SOON_MS);

      expect(await left(lab())).toEqual([]);
    });

    test("judges by the deadline what nobody has written down", async () => {
      await lab().create("local", { timeoutAt: NOW + 10 });
      await lab().create("local:0", { tags: of("local"), timeoutAt: NOW + 10 });

      await lab().advance(AGE_MS);
      expect(await left(lab())).toEqual(["local", "local:0"]);
      await lab().advance(SOON_MS);

      expect(await left(lab())).toEqual([]);
    });

    test("forgets the task and lets the id be used again, from the start", async () => {
      await lab().given("t", "acquired", { timeoutAt: LATE });
      await lab().resolve("t");
      await lab().advance(AGE_MS + SOON_MS);
      expect((await lab().ask("task.get", { id: "t" })).status).toBe(404);

      await lab().create("t", { tags: targeted, timeoutAt: LATE, param: { data: "again" } });

      expect(await lab().promise("t")).toMatchObject({
        state: "pending",
        param: { data: "again" },
      });
      expect(await lab().task("t")).toMatchObject({ state: "pending", version: 0 });
    });

    test("lets nobody wait for ever: who awaits a promise is resumed by it before it is forgotten", async () => {
      await lab().given("w", "suspended", { timeoutAt: LATE });
      await lab().resolve("w-awaited");
      await lab().advance(AGE_MS + SOON_MS);

      // Nobody has claimed the awaiter since, so the result has not been shown.
      expect(await left(lab())).toEqual(["w", "w-awaited"]);
      const claim = { id: "w", version: 1, pid: "p1", ttl: LATE };
      const shown = await lab().ok("task.acquire", claim, { "resonate:preload": "delta" });
      await lab().advance(SOON_MS);

      expect(shown.preload.map(({ id }: { id: string }) => id)).toEqual(["w-awaited"]);
      expect(await left(lab())).toEqual(["w"]);
    });

    test("waits for a listener that has not been told", async () => {
      await lab().create("l", { tags: global, timeoutAt: LATE });
      await lab().ok("promise.register_listener", { awaited: "l", address: "poll://uni@g/x" });
      await lab().resolve("l");

      await lab().advance(AGE_MS + SOON_MS);
      expect(await left(lab())).toEqual(["l"]);
      // A notice that nobody takes is given up after ten minutes.
      await lab().advance(600_000);

      expect(await left(lab())).toEqual([]);
    });

    test("keeps a child with an id of its own while the call that made it goes on", async () => {
      await lab().create("caller", { tags: of("caller"), timeoutAt: LATE });
      await lab().create("keyed", {
        tags: of("keyed", { "resonate:caller": "caller" }),
        timeoutAt: LATE,
      });
      await lab().resolve("keyed");
      await lab().advance(AGE_MS + SOON_MS);
      expect(await left(lab())).toEqual(["caller", "keyed"]);
      await lab().resolve("caller");

      await lab().advance(SOON_MS);

      expect(await left(lab())).toEqual(["caller"]);
    });

    test("forgets what is left of a tree whose root was never there", async () => {
      await lab().create("r:0", { tags: of("r"), timeoutAt: LATE });
      await lab().create("r:1", { tags: of("r"), timeoutAt: LATE });
      await lab().resolve("r:0");
      await lab().advance(AGE_MS + SOON_MS);
      expect(await left(lab())).toEqual(["r:0", "r:1"]);
      await lab().resolve("r:1");

      await lab().advance(AGE_MS + SOON_MS);

      expect(await left(lab())).toEqual([]);
    });

    test("does not take a promise for one of the tree that its id seems to be of", async () => {
      await lab().create("a", { tags: of("a"), timeoutAt: LATE });
      await lab().create("a.x", { tags: of("a.x"), timeoutAt: LATE });
      await lab().resolve("a");

      await lab().advance(AGE_MS + SOON_MS);

      expect(await left(lab())).toEqual(["a.x"]);
    });

    test("forgets a tree of any width, in bounded commits", async () => {
      const wide = Array.from({ length: 2_500 }, (_, at) => ({
        kind: "promise.create",
        data: { id: `r:${at}`, timeoutAt: NOW + 10, tags: of("r") },
      }));
      await lab().create("r", { tags: of("r"), timeoutAt: NOW + 10 });
      await lab().create("kept", { timeoutAt: LATE });
      await lab().askAll(wide);
      let most = 0;
      lab().store.beforeWrite = (changes) => {
        most = Math.max(most, changes.length);
      };

      await lab().advance(AGE_MS + SOON_MS);

      expect(await left(lab())).toEqual(["kept"]);
      expect(most).toBe(1_000);
    });

    test("looks no further than what is old", async () => {
      for (let at = 0; at < 3; at++) {
        await lab().create(`p${at}`, { timeoutAt: lab().now + 10 });
        await lab().advance(60_000);
      }

      expect(await left(lab())).toEqual(["p2"]);
    });

    test("forgets an awaiter whose promise settled while it waited, and what it waits for still settles", async () => {
      await lab().given("w", "suspended", { timeoutAt: NOW + 100 });
      await lab().ok("promise.settle", { id: "w", state: "rejected" });
      await lab().advance(AGE_MS + SOON_MS);
      expect(await left(lab())).toEqual(["w-awaited"]);
      await lab().ok("task.create", claimedCreate("w", { timeoutAt: LATE, ttl: LATE }));

      await lab().resolve("w-awaited");

      expect(await lab().task("w")).toMatchObject({ state: "acquired", resumes: 0 });
    });
  },
  { retentionAgeMs: AGE_MS },
);

onEveryStore("without retention", (lab) => {
  test("nothing is forgotten, and nobody looks", async () => {
    await lab().create("a", { timeoutAt: NOW + 10 });
    await lab().advance(AGE_MS);
    const { looks } = lab().store;
    await lab().advance(100 * AGE_MS);

    expect(await left(lab())).toEqual(["a"]);
    expect(lab().store.looks).toBe(looks);
  });
});

test("a place in the file that was given up is not given again, so nothing leads to a stranger", async () => {
  const lab = await Lab.open({ store: "file", retentionAgeMs: AGE_MS });
  await lab.create("awaited", { tags: global, timeoutAt: LATE });
  await lab.ok("task.create", claimedCreate("w", { timeoutAt: NOW + 100 }));
  await lab.ok("task.suspend", suspend("w", 1, "awaited"));
  await lab.advance(AGE_MS + SOON_MS);
  expect(await left(lab)).toEqual(["awaited"]);
  await lab.restart();
  // It would take the place of the forgotten one, which is still registered with what it awaited.
  await lab.given("stranger", "suspended", { timeoutAt: LATE });

  await lab.resolve("awaited");

  expect(await lab.task("stranger")).toMatchObject({ state: "suspended", resumes: 0 });
  await lab.close();
});

test("goes on behind what cannot be read, and the engine with it", async () => {
  const lab = await Lab.open({ retentionAgeMs: AGE_MS });
  await lab.create("old", { timeoutAt: NOW + 10 });
  const { oldTrees } = lab.store;
  lab.store.oldTrees = () => {
    lab.store.oldTrees = oldTrees;
    return Promise.reject(new Error("damaged"));
  };

  await lab.advance(AGE_MS + 10 * SOON_MS);

  expect(lab.logger.errors).toEqual(["retention could not read what is old, and skips it"]);
  expect(await left(lab)).toEqual([]);
  await lab.close();
});
