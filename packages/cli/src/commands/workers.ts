/** `resonate workers`: who is there, and what waits for them. */
import type { Counted, Worker, WorkerGroup } from "@resonate-ts/protocol";
import type { Command } from "commander";
import { formatDuration } from "../duration.ts";
import { look, notToldBy } from "../insight.ts";
import { addServerOptions, printJson, type ServerOptions, serverOf } from "../options.ts";
import type { Terminal } from "../terminal.ts";

export function addWorkers(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("workers")
      .description(
        "Print groups and their workers: what each holds, what it can run, and what waits for them.",
      )
      .summary("print workers, and what waits for them"),
  )
    .addHelpText("after", "\nExample:\n  $ resonate workers")
    .action(async (options: ServerOptions) => {
      const server = serverOf(options, terminal);
      const groups = await look(server, "workers");
      if (!groups) throw notToldBy(server);
      if (options.json) printJson(terminal, groups, options);
      else for (const line of groupLines(groups, Date.now())) terminal.out(line);
    });
}

/** For people: a line for each group, and below one for each worker. */
export function groupLines(groups: readonly WorkerGroup[], now: number): readonly string[] {
  if (groups.length === 0) return ["No worker is connected, and nothing waits for one."];
  return groups.flatMap((group) => [
    groupLine(group, now),
    ...group.workers.map((worker) => `  ${workerLine(worker, now)}`),
  ]);
}

function groupLine({ group, workers, pending, oldestPendingAt }: WorkerGroup, now: number) {
  const members = workers.length === 0 ? "no worker" : counted({ count: workers.length }, "worker");
  if (pending.count === 0) return `${group}: ${members}, nothing waits`;
  const wait = pending.count === 1 ? "waits" : "wait";
  const since = oldestPendingAt === undefined ? "" : `, for up to ${age(oldestPendingAt, now)}`;
  return `${group}: ${members}, ${counted(pending, "task")} ${wait}${since}`;
}

function workerLine({ id, connectedAt, slots, holds, functions }: Worker, now: number): string {
  const words = [
    `holds ${holds}${slots === undefined ? "" : ` of ${slots}`}`,
    connectedAt === undefined ? "at another server" : `connected for ${age(connectedAt, now)}`,
    functions === undefined ? "functions not announced" : `runs ${functionsIn(functions)}`,
  ];
  return `${id}  ${words.join(", ")}`;
}

function functionsIn(functions: NonNullable<Worker["functions"]>): string {
  if (functions.length === 0) return "nothing";
  return functions
    .map(({ name, versions }) => `${name} ${versions.map((version) => `v${version}`).join(" ")}`)
    .join(", ");
}

function counted({ count, more = false }: Counted, what: string): string {
  return `${count}${more ? " or more" : ""} ${what}${count === 1 ? "" : "s"}`;
}

function age(instant: number, now: number): string {
  return formatDuration(Math.max(0, now - instant));
}
