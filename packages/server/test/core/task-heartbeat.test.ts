import { expect, test } from "vitest";
import { claimedCreate, NOW, onEveryStore } from "../support/lab.ts";

onEveryStore("task.heartbeat", (lab) => {
  const beat = (tasks: { id: string; version: number }[], pid = "p1") =>
    lab().ask("task.heartbeat", { pid, tasks });

  test("the lease starts again with the length that was asked for at the claim", async () => {
    await lab().ok("task.create", claimedCreate("t", { ttl: 100 }));
    await lab().advance(60);

    expect(await beat([{ id: "t", version: 1 }])).toEqual({ status: 200, data: {} });
    await lab().advance(99);
    expect(await lab().task("t")).toMatchObject({ state: "acquired", version: 1, ttl: 100 });
    await lab().advance(1);

    expect(await lab().task("t")).toMatchObject({ state: "pending", version: 1 });
  });

  test("one request renews claims of several trees (D5)", async () => {
    for (const id of ["one", "two"]) {
      await lab().ok("task.create", claimedCreate(id, { ttl: 100 }));
    }
    await lab().advance(60);

    await beat([
      { id: "one", version: 1 },
      { id: "two", version: 1 },
    ]);
    await lab().advance(60);

    expect(await lab().task("one")).toMatchObject({ state: "acquired" });
    expect(await lab().task("two")).toMatchObject({ state: "acquired" });
  });

  test.each([
    ["another version", { id: "t", version: 2 }, "p1"],
    ["another process", { id: "t", version: 1 }, "p2"],
  ])("%s renews nothing, and is 200", async (_, claim, pid) => {
    await lab().ok("task.create", claimedCreate("t", { ttl: 100 }));
    await lab().advance(60);

    expect(await beat([claim], pid)).toEqual({ status: 200, data: {} });
    await lab().advance(40);

    expect(await lab().task("t")).toMatchObject({ state: "pending" });
  });

  test.each(["pending", "suspended", "halted", "fulfilled"] as const)(
    "a task that is %s stays as it is, and so do unknown ids",
    async (state) => {
      const before = await lab().given("t", state);

      expect(
        await beat([
          { id: "unknown", version: 0 },
          { id: "t", version: before.version },
        ]),
      ).toEqual({ status: 200, data: {} });

      expect(await lab().task("t")).toEqual(before);
    },
  );

  test("a claim past the promise's deadline is not renewed (C7)", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });
    lab().jump(10);
    const { nextAt } = await lab().store.due(0, 10);

    await beat([{ id: "t", version: 1 }]);

    expect((await lab().store.due(0, 10)).nextAt).toBe(nextAt);
    expect(await lab().task("t")).toMatchObject({ state: "fulfilled" });
  });
});
