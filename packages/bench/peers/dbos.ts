/** DBOS: its SDK, on the PostgreSQL of its surroundings. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { ProgramName } from "../src/programs.ts";
import type { Side } from "../src/running.ts";
import { launch, workflows } from "./dbos-programs.ts";

export const dbos: Side = {
  /** This process is the first worker, and other processes are the others. */
  async open(workers, { database }) {
    const url = database?.url ?? "";
    await launch(url, "first");
    const others = Array.from({ length: workers - 1 }, (_, at) =>
      spawn("./dbos-worker.ts", [url, `other-${at}`]),
    );
    await Promise.all(others.map((other) => once(other, "message")));
    return {
      run,
      async close() {
        await DBOS.shutdown();
        for (const other of others) {
          const exited = once(other, "exit");
          other.disconnect();
          await exited;
        }
      },
    };
  },

  async crash(test) {
    const { promise: done, resolve } = Promise.withResolvers<unknown>();
    return {
      done,
      work() {
        const worker = spawn("./dbos-crash-worker.ts", [JSON.stringify(test)]);
        worker.once("message", resolve);
        return worker;
      },
      close: async () => {},
    };
  },
};

async function run(id: string, program: ProgramName, count: number): Promise<unknown> {
  if (program === "slow" || program === "slowFanOut") {
    throw new Error(`nobody asks DBOS for ${program} here`);
  }
  const workflow: (count: number) => Promise<number> = workflows[program];
  const handle = await DBOS.startWorkflow(workflow, { workflowID: id })(count);
  return handle.getResult();
}

function spawn(program: string, args: readonly string[]): ChildProcess {
  return fork(new URL(program, import.meta.url), args, { execArgv: [] });
}
