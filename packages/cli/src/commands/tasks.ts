/** `resonate tasks …`: the right to run something, as the server keeps it. */
import type { TaskState } from "@resonate-ts/protocol";
import { type Command, Option } from "commander";
import { send } from "../client.ts";
import { nextCommand } from "../next-command.ts";
import { addServerOptions, idOf, printJson, type ServerOptions, serverOf } from "../options.ts";
import { addPageOptions, type PageOptions, pageOf } from "../searching.ts";
import { TASK_STATES } from "../state.ts";
import type { Terminal } from "../terminal.ts";
import { addClaims } from "./claims.ts";

export function addTasks(root: Command, terminal: Terminal): void {
  const tasks = root
    .command("tasks")
    .alias("task")
    .description(
      "Look at tasks (the right to run a function; a task has the id of its promise), stop and continue them. The verbs from create on are for workers.",
    )
    .summary("look at tasks, stop and continue them")
    .addHelpText("after", EXAMPLES);
  addGet(tasks, terminal);
  addSearch(tasks, terminal);
  addHalt(tasks, terminal);
  addContinue(tasks, terminal);
  addClaims(tasks, terminal);
}

const EXAMPLES = `
States:  pending (offered to workers)  acquired (a worker has it)  suspended (waits for other promises)
         halted (stopped until somebody continues it)  fulfilled (its promise is settled)

Examples:
  $ resonate tasks search --state halted
  $ resonate tasks get report-may
  $ resonate tasks continue report-may`;

function addGet(tasks: Command, terminal: Terminal): void {
  addServerOptions(
    tasks
      .command("get <id>")
      .description(
        "Print a task: its state, who holds it, how many claims in a row failed, and the cause.",
      ),
  )
    .addHelpText("after", "\nExample:\n  $ resonate tasks get report-may")
    .action(async (text: string, options: ServerOptions) => {
      const { task } = await send(serverOf(options, terminal), "task.get", { id: idOf(text) });
      printJson(terminal, task, options);
    });
}

interface SearchOptions extends ServerOptions, PageOptions {
  readonly state?: TaskState;
}

function addSearch(tasks: Command, terminal: Terminal): void {
  const search = tasks.command("search").alias("list").description("Print tasks by state.");
  addPageOptions(
    addServerOptions(search).addOption(
      new Option("--state <state>", "only those in this state").choices(TASK_STATES),
    ),
    { limit: 100 },
  )
    .addHelpText("after", "\nExample:\n  $ resonate tasks search --state halted --limit 10")
    .action(async (options: SearchOptions) => {
      const page = await send(serverOf(options, terminal), "task.search", {
        ...(options.state === undefined ? {} : { state: options.state }),
        ...pageOf(options),
      });
      printJson(terminal, page, options);
    });
}

function addHalt(tasks: Command, terminal: Terminal): void {
  addServerOptions(
    tasks
      .command("halt <id>")
      .description(
        "Take a task from whoever has it, and offer it to nobody until it is continued.",
      ),
  )
    .addHelpText("after", "\nExample:\n  $ resonate tasks halt report-may")
    .action(async (text: string, options: ServerOptions) => {
      const server = serverOf(options, terminal);
      const id = idOf(text);
      const data = await send(server, "task.halt", { id });
      if (options.json) return printJson(terminal, data, options);
      const found = serverOf({}, terminal).url;
      terminal.out(`${id} is halted: no worker is given it.`);
      const next = nextCommand(["tasks", "continue", id], { url: server.url, found });
      terminal.out(`Let it go on with: ${next}`, "dim");
    });
}

function addContinue(tasks: Command, terminal: Terminal): void {
  addServerOptions(
    tasks
      .command("continue <id>")
      .description("Offer a halted task again, and forget its failures and their cause."),
  )
    .addHelpText("after", "\nExample:\n  $ resonate tasks continue report-may")
    .action(async (text: string, options: ServerOptions) => {
      const id = idOf(text);
      const data = await send(serverOf(options, terminal), "task.continue", { id });
      if (options.json) printJson(terminal, data, options);
      else terminal.out(`${id} is offered to workers again.`);
    });
}
