import { expect, test } from "vitest";
import { NOW, onEveryStore, targeted } from "../support/lab.ts";

const MINUTE = 60_000;
/** The first full minute after the lab's start. */
const FIRST = Math.ceil(NOW / MINUTE) * MINUTE;

const given = {
  id: "s",
  cron: "* * * * *",
  promiseId: "{{.id}}-{{.timestamp}}",
  promiseTimeout: 5_000,
  promiseParam: { data: "eA==" },
  promiseTags: targeted,
};

onEveryStore("schedule.create", (lab) => {
  test("a new schedule runs first at the first occurrence after now", async () => {
    const answer = await lab().ask("schedule.create", given);

    const schedule = { ...given, createdAt: NOW, nextRunAt: FIRST };
    expect(answer).toEqual({ status: 200, data: { schedule } });
    expect(await lab().ask("schedule.get", { id: "s" })).toEqual({
      status: 200,
      data: { schedule },
    });
  });

  test("an occurrence at this very instant is not after it", async () => {
    lab().jump(FIRST - NOW);

    const { schedule } = await lab().ok("schedule.create", given);

    expect(schedule.nextRunAt).toBe(FIRST + MINUTE);
  });

  test("the stored schedule wins over a second one of its id", async () => {
    const { schedule } = await lab().ok("schedule.create", given);

    const again = await lab().ask("schedule.create", { ...given, cron: "0 0 * * *" });

    expect(again).toEqual({ status: 200, data: { schedule } });
  });

  test.each(["nonsense", "61 * * * *", "* * * *", "0 0 30 2 *"])(
    "cron '%s' is 400",
    async (cron) => {
      const { status, data } = await lab().ask("schedule.create", { ...given, cron });

      expect([status, data]).toEqual([400, expect.stringContaining("Invalid cron expression")]);
    },
  );

  test("a bad cron is 400 also when its id is taken: a request is judged before what is stored", async () => {
    await lab().ok("schedule.create", given);

    expect((await lab().ask("schedule.create", { ...given, cron: "nonsense" })).status).toBe(400);
  });

  test.each([
    // 1,000,000 ms after the epoch: Thursday 1970-01-01, 00:16:40 UTC.
    ["*/5 * * * * *", "1970-01-01T00:16:45Z"],
    ["0 9 * * 1-5", "1970-01-01T09:00:00Z"],
    ["0 9 * * 5", "1970-01-02T09:00:00Z"],
    ["0 9 * * 0", "1970-01-04T09:00:00Z"],
    ["0 9 * * 7", "1970-01-04T09:00:00Z"],
    ["0 9 * * SUN", "1970-01-04T09:00:00Z"],
    ["0 0 15 * MON", "1970-01-05T00:00:00Z"],
    ["0 0 3 * MON", "1970-01-03T00:00:00Z"],
    ["@hourly", "1970-01-01T01:00:00Z"],
  ])(
    "'%s' runs next at %s: conventional numbering, UTC, day rules joined by or (D14)",
    async (cron, at) => {
      const { schedule } = await lab().ok("schedule.create", { ...given, cron });

      expect(schedule.nextRunAt).toBe(Date.parse(at));
    },
  );
});

onEveryStore("schedule.get and schedule.delete", (lab) => {
  test("unknown ids are 404", async () => {
    expect((await lab().ask("schedule.get", { id: "s" })).status).toBe(404);
    expect((await lab().ask("schedule.delete", { id: "s" })).status).toBe(404);
  });

  test("a deleted schedule fires no more, what it fired stays, a second delete is 404", async () => {
    await lab().ok("schedule.create", given);
    await lab().advance(FIRST - NOW);

    expect(await lab().ask("schedule.delete", { id: "s" })).toEqual({ status: 200, data: {} });
    await lab().advance(2 * MINUTE);

    expect((await lab().ask("schedule.get", { id: "s" })).status).toBe(404);
    expect((await lab().ask("schedule.delete", { id: "s" })).status).toBe(404);
    expect((await lab().ok("promise.search", {})).promises).toHaveLength(1);
  });
});

onEveryStore("an occurrence", (lab) => {
  test("fires not before its instant, and at it", async () => {
    const worker = lab().connect("g", "w");
    await lab().ok("schedule.create", given);

    await lab().advance(FIRST - NOW - 1);
    expect(worker.take()).toEqual([]);
    await lab().advance(1);

    expect(worker.take()).toEqual([`execute s-${FIRST} 0`]);
  });

  test("makes a promise with the schedule's param, tags and lineage, and moves the schedule on", async () => {
    await lab().ok("schedule.create", given);

    await lab().advance(FIRST - NOW);

    const id = `s-${FIRST}`;
    expect(await lab().promise(id)).toEqual({
      id,
      state: "pending",
      param: given.promiseParam,
      value: {},
      tags: {
        ...targeted,
        "resonate:schedule": "s",
        "resonate:origin": id,
        "resonate:branch": id,
        "resonate:parent": id,
      },
      timeoutAt: FIRST + 5_000,
      createdAt: FIRST,
    });
    expect(await lab().task(id)).toEqual({ id, state: "pending", version: 0, resumes: 0 });
    expect((await lab().ok("schedule.get", { id: "s" })).schedule).toEqual({
      ...given,
      createdAt: NOW,
      lastRunAt: FIRST,
      nextRunAt: FIRST + MINUTE,
    });
  });

  test("replaces every place of the template, and takes nothing in an id for a pattern", async () => {
    await lab().ok("schedule.create", { ...given, id: "$&", promiseId: "{{.id}}/{{.id}}" });

    await lab().advance(FIRST - NOW);

    expect(await lab().promise("$&/$&")).toMatchObject({ createdAt: FIRST });
  });

  test("leaves a promise alone that has its id, and moves on", async () => {
    const taken = await lab().create(`s-${FIRST}`);
    await lab().ok("schedule.create", given);

    await lab().advance(FIRST - NOW);

    expect(await lab().promise(`s-${FIRST}`)).toEqual(taken);
    expect((await lab().ok("schedule.get", { id: "s" })).schedule.lastRunAt).toBe(FIRST);
  });

  test("honours a delay in the tags", async () => {
    const worker = lab().connect("g", "w");
    const promiseTags = { ...targeted, "resonate:delay": String(FIRST + 1_000) };
    await lab().ok("schedule.create", { ...given, promiseTags });

    await lab().advance(FIRST - NOW);
    expect(worker.take()).toEqual([]);
    await lab().advance(1_000);

    expect(worker.take()).toEqual([`execute s-${FIRST} 0`]);
  });

  test("with the longest time-out can be stored and read again", async () => {
    await lab().ok("schedule.create", { ...given, promiseTimeout: Number.MAX_SAFE_INTEGER });

    await lab().advance(FIRST - NOW);

    expect(await lab().promise(`s-${FIRST}`)).toMatchObject({
      state: "pending",
      timeoutAt: Number.MAX_SAFE_INTEGER,
    });
  });

  test("that is noticed late fires with all others that were missed, in order; the dead are born settled (D15)", async () => {
    const worker = lab().connect("g", "w");
    await lab().ok("schedule.create", { ...given, promiseTimeout: 90_000 });

    // Three are missed; the first one's time is over when they are noticed.
    lab().jump(FIRST + 2 * MINUTE - NOW);
    await lab().advance(FIRST - NOW);

    expect(worker.take()).toEqual([
      `execute s-${FIRST + MINUTE} 0`,
      `execute s-${FIRST + 2 * MINUTE} 0`,
    ]);
    expect(await lab().promise(`s-${FIRST}`)).toMatchObject({
      state: "rejected_timedout",
      createdAt: FIRST,
      settledAt: FIRST + 90_000,
    });
    expect(await lab().task(`s-${FIRST}`)).toMatchObject({ state: "fulfilled", version: 0 });
    expect((await lab().ok("schedule.get", { id: "s" })).schedule).toMatchObject({
      lastRunAt: FIRST + 2 * MINUTE,
      nextRunAt: FIRST + 3 * MINUTE,
    });
  });
});
