/** The measured programs as workflows of DBOS, and how it is launched. */
import { DBOS, type WorkflowHandle } from "@dbos-inc/dbos-sdk";
import { slowly } from "../src/programs.ts";

/**
 * Whoever is launched listens to both queues, every so many ms; results are polled as often. By default that is once a
 * second, which would be all that is seen. Many children come less often, and together.
 */
const MANY = { queueName: "many", pollingIntervalMs: 100 };
const SINGLE = { queueName: "single", pollingIntervalMs: 10 };

const steps = DBOS.registerWorkflow(
  async (count: number): Promise<number> => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const before = sum;
      sum = await DBOS.runStep(async () => before + 1, { name: "add" });
    }
    return sum;
  },
  { name: "steps" },
);

const one = DBOS.registerWorkflow(async (): Promise<number> => 1, { name: "one" });

/** What is done on the side is a step, as DBOS's guides have it. */
const slow = DBOS.registerWorkflow(
  (child: number, log: string): Promise<number> =>
    DBOS.runStep(() => slowly(`${child}`, log), { name: "slowly" }),
  { name: "slow" },
);

const fanOut = DBOS.registerWorkflow(
  async (count: number): Promise<number> => {
    const start = () => DBOS.startWorkflow(one, MANY)();
    return joined(await Promise.all(Array.from({ length: count }, start)));
  },
  { name: "fanOut" },
);

const slowFanOut = DBOS.registerWorkflow(
  async (count: number, log: string): Promise<number> => {
    const start = (child: number) => DBOS.startWorkflow(slow, MANY)(child, log);
    return joined(await Promise.all(Array.from({ length: count }, (_, child) => start(child))));
  },
  { name: "slowFanOut" },
);

/** Waits for all by one query at a time, then gets the results. */
async function joined(handles: WorkflowHandle<number>[]): Promise<number> {
  await DBOS.waitAll(handles, MANY);
  return sumOf(await Promise.all(handles.map((handle) => handle.getResult(MANY))));
}

const localFanOut = DBOS.registerWorkflow(
  async (count: number): Promise<number> => {
    const started = Array.from({ length: count }, () =>
      DBOS.runStep(async () => 1, { name: "one" }),
    );
    return sumOf(await Promise.all(started));
  },
  { name: "localFanOut" },
);

const hops: (depth: number) => Promise<number> = DBOS.registerWorkflow(
  async (depth: number): Promise<number> => {
    if (depth === 0) return 0;
    const below = await DBOS.startWorkflow(hops, SINGLE)(depth - 1);
    return ((await below.getResult(SINGLE)) ?? 0) + 1;
  },
  { name: "hops" },
);

/** Those that are asked for with a count. */
export const workflows = { steps, one, fanOut, localFanOut, hops } satisfies Record<
  string,
  (count: number) => Promise<number>
>;
export { slowFanOut };

/** Launches DBOS in this process: it takes up what this `executor` left, and listens to the queues. */
export async function launch(database: string, executor: string): Promise<void> {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: database,
    executorID: executor,
    applicationVersion: "1",
    logLevel: "error",
  });
  await DBOS.launch();
  for (const { queueName, pollingIntervalMs } of [MANY, SINGLE]) {
    await DBOS.registerQueue(queueName, { minPollingIntervalMs: pollingIntervalMs });
  }
}

function sumOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
