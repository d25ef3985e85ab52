/**
 * Every step is counted outside, while workers are killed every two seconds. `SEED=…` repeats a run, `WORKFLOWS=10000`
 * is the long lane.
 */
import type { Context } from "@resonate-ts/sdk";
import { type LabProcess, openLab, seeded } from "@resonate-ts/testing";
import { expect, test } from "vitest";

const seed = Number(process.env.SEED ?? 14);
const WORKFLOWS = Number(process.env.WORKFLOWS ?? 300);
const STEPS = 5;
const WORKERS = 4;
/** Tasks that one worker runs at a time. */
const AT_ONCE = 25;
const KILL_EVERY_MS = 2_000;
const AWAY_MS = 500;

test(
  `each of ${WORKFLOWS * STEPS} steps is done, and again only where its outcome was not acknowledged (SEED=${seed})`,
  async () => {
    const random = seeded(seed);
    const done: string[] = [];
    async function step({ id }: Context, n: number): Promise<number> {
      done.push(id);
      await lab.delay(Math.ceil(random() * 800));
      return n;
    }
    async function workflow(ctx: Context): Promise<number> {
      let sum = 0;
      for (let n = 0; n < STEPS; n++) sum += await ctx.run(step, n);
      return sum;
    }
    const lab = await openLab({
      seed,
      workers: WORKERS,
      register: { workflow },
      resonate: { maxConcurrentTasks: AT_ONCE },
    });
    let kills = 0;
    const kill = (worker: LabProcess) => {
      kills += 1;
      worker.crash();
      lab.after(AWAY_MS, () => worker.start());
    };
    const killing = () => {
      const worker = lab.workers[Math.floor(random() * WORKERS)];
      if (worker?.running) kill(worker);
      stopKilling = lab.after(KILL_EVERY_MS, killing);
    };
    let stopKilling = lab.after(KILL_EVERY_MS, killing);
    const ids = Array.from({ length: WORKFLOWS }, (_, i) => `w${i}`);

    const results = await lab.until(
      Promise.all(ids.map((id) => lab.client.rpc<number>(id, "workflow"))),
    );
    stopKilling();

    expect(results).toEqual(ids.map(() => 10));
    const steps = new Set(done);
    expect(steps.size).toBe(WORKFLOWS * STEPS);
    expect(lab.enteredAgain).toEqual([]);
    expect(kills).toBeGreaterThan(3);
    expect(done.length - steps.size).toBeGreaterThan(0);
    expect(done.length - steps.size).toBeLessThanOrEqual(kills * AT_ONCE);
    await lab.close();
  },
  30_000 + WORKFLOWS * 100,
);
