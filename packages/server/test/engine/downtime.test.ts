/** What fell due while no server was there (R18). */
import { afterEach, describe, expect, test } from "vitest";
import { Lab, NOW, targeted, timer } from "../support/lab.ts";

const HOUR_MS = 3_600_000;
const SLEEPS = 10_000;
const SCHEDULES = 1_000;
/** Steps of one commit. */
const COMMIT_MAX = 1_000;
/** In which all of it is done, in ms of the processor's time, which what else the machine does leaves alone. */
const CAUGHT_UP_MS = 10_000;
/** Requests that arrive together. */
const TOGETHER = 1_000;

let lab: Lab;
afterEach(() => lab.close());

describe.each(["file", "postgres"] as const)("after an hour without a server (%s)", (store) => {
  test(`${SLEEPS} sleeps and ${SCHEDULES} schedules are caught up with at once, in bounded commits`, async () => {
    lab = await Lab.open({ store });
    const timeoutOf = (at: number) => NOW + 1 + ((at * 7_919) % HOUR_MS);
    await all(SLEEPS, (at) => ({
      kind: "promise.create",
      data: { id: `sleep${at}`, timeoutAt: timeoutOf(at), tags: timer },
    }));
    await all(SCHEDULES, (at) => ({
      kind: "schedule.create",
      data: {
        id: `schedule${at}`,
        cron: "0 * * * *",
        promiseId: "{{.id}}.{{.timestamp}}",
        promiseTimeout: HOUR_MS,
        promiseTags: targeted,
      },
    }));

    const before = process.cpuUsage();
    await lab.restart(HOUR_MS);
    const { user, system } = process.cpuUsage(before);

    expect((await lab.store.due(lab.now, 1)).steps).toEqual([]);
    const answers = await all(SLEEPS, (at) => ({
      kind: "promise.get",
      data: { id: `sleep${at}` },
    }));
    const wrong = answers.filter(({ data: { promise } }, at) => {
      return promise.state !== "resolved" || promise.settledAt !== timeoutOf(at);
    });
    expect(wrong).toEqual([]);
    // One occurrence was missed: one o'clock.
    await all(SCHEDULES, (at) => ({
      kind: "promise.get",
      data: { id: `schedule${at}.${HOUR_MS}` },
    }));
    const commits = Math.ceil((SLEEPS + SCHEDULES) / COMMIT_MAX);
    const asked = (2 * SLEEPS + SCHEDULES) / TOGETHER;
    expect(lab.store.commits).toBeGreaterThanOrEqual(commits);
    expect(lab.store.commits).toBeLessThanOrEqual(2 * commits + asked);
    expect((user + system) / 1_000).toBeLessThan(CAUGHT_UP_MS);
  }, 120_000);
});

/** Asks so many requests, each of which succeeds, and gives their answers, in order. */
async function all(count: number, request: (at: number) => { kind: string; data: unknown }) {
  const answers = [];
  for (let first = 0; first < count; first += TOGETHER) {
    const page = Array.from({ length: Math.min(TOGETHER, count - first) }, (_, at) =>
      request(first + at),
    );
    answers.push(...(await lab.askAll(page)));
  }
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  return answers;
}
