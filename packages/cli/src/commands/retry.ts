/** `resonate retry`: lets something go on that was given up. */
import type { Command } from "commander";
import { send } from "../client.ts";
import { Failure } from "../failure.ts";
import { addServerOptions, idOf, type ServerOptions, serverOf } from "../options.ts";
import type { Terminal } from "../terminal.ts";

export function addRetry(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("retry <id>")
      .description(
        "Offer a halted task to workers again. What it had done is on record and is not done again.",
      )
      .summary("let a halted task go on"),
  )
    .addHelpText("after", "\nExample:\n  $ resonate retry report-may")
    .action(async (text: string, options: ServerOptions) => {
      const id = idOf(text);
      const server = serverOf(options, terminal);
      const { state, cause } = (await send(server, "task.get", { id })).task;
      if (state !== "halted") throw new Failure(`${id} is not halted: its task is ${state}`);
      await send(server, "task.continue", { id });
      if (options.json) terminal.out(JSON.stringify({ id, ...(cause !== undefined && { cause }) }));
      else terminal.out(`${id} is offered to workers again. ${wasHalted(cause)}`);
    });
}

function wasHalted(cause: string | undefined): string {
  return cause === undefined ? "It had been halted." : `It had been halted by: ${cause}`;
}
