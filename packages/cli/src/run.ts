/** The command line as one function. */
import { Command } from "commander";
import { addBackup, addRestore } from "./commands/backups.ts";
import { addCancel } from "./commands/cancel.ts";
import { addCompletion } from "./commands/completion.ts";
import { addInvoke } from "./commands/invoke.ts";
import { addList } from "./commands/list.ts";
import { addMcp } from "./commands/mcp.ts";
import { addPromises } from "./commands/promises.ts";
import { addRetry } from "./commands/retry.ts";
import { addSchedules } from "./commands/schedules.ts";
import { addDev, addServe } from "./commands/servers.ts";
import { addTasks } from "./commands/tasks.ts";
import { addTree } from "./commands/tree.ts";
import { addWatch } from "./commands/watch.ts";
import { addWhy } from "./commands/why.ts";
import { addWorkers } from "./commands/workers.ts";
import { type ExitCode, endingOf } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** Does what the words after `resonate` say, and resolves with the exit code. Never rejects. */
export async function run(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const root = program(terminal);
    addCompletion(root, terminal, () => program(terminal));
    await root.parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    const { exitCode, line } = endingOf(error);
    if (line !== undefined) terminal.err(line, "red");
    return exitCode;
  }
}

function program(terminal: Terminal): Command {
  const root = new Command("resonate")
    .description("Durable functions: a server for them, and a look into it.")
    .version(version(), "-V, --version", "print the version")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.raw(text, "out"),
      writeErr: (text) => terminal.raw(text, "err"),
      outputError: (text) => {
        const ours = text.trimEnd().replace(/^error:/, "Error:");
        for (const line of ours.split("\n")) terminal.err(line, "red");
      },
    })
    .showSuggestionAfterError()
    .addHelpText("after", EXAMPLES);
  // Commands inherit the settings above.
  for (const add of COMMANDS) add(root, terminal);
  return root;
}

/** In the order in which the help shows them. */
const COMMANDS = [
  addDev,
  addServe,
  addInvoke,
  addList,
  addTree,
  addWatch,
  addWhy,
  addWorkers,
  addCancel,
  addRetry,
  addPromises,
  addTasks,
  addSchedules,
  addBackup,
  addRestore,
  addMcp,
];

const EXAMPLES = `
Exit codes:
  0  done
  1  it could not be done now: no server there, refused, rejected, port taken
  2  wrong input or settings, or a data file that is in use or not ours

Examples:
  $ resonate dev
  $ resonate invoke factorial-20 -f factorial --arg 20 --target factorial-workers --wait
  $ resonate list
  $ resonate tree factorial-20`;
