/** `resonate watch`: one run until it ends. */
import type { Command } from "commander";
import { send } from "../client.ts";
import { addServerOptions, idOf, type ServerOptions, serverOf } from "../options.ts";
import { failureOf } from "../result.ts";
import type { Terminal } from "../terminal.ts";
import { watchRun } from "../watching.ts";

export function addWatch(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("watch <id>")
      .description(
        "Follow a run until it ends: as a live tree in a terminal, else with a line for each thing that happens.",
      )
      .summary("follow a run until it ends"),
  )
    .addHelpText("after", EXAMPLES)
    .action(async (text: string, options: ServerOptions) => {
      const id = idOf(text);
      const server = serverOf(options, terminal);
      // Says at once when there is no server, or no such promise.
      await send(server, "promise.get", { id });
      await watchRun({ terminal, server, id, json: options.json === true });
      const failure = await failureOf(server, id);
      if (failure) throw failure;
    });
}

const EXAMPLES = `
Exit code 0 when it was resolved, 1 when it ended otherwise. Ctrl-C ends the watching, not the work.
With --json each change is a line: a promise without its payloads.

Examples:
  $ resonate watch report-may
  $ resonate watch report-may > report.log && echo done`;
