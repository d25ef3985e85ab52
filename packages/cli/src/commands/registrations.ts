/** The verbs of `resonate promises` that say who is told when a promise settles. */
import type { Command } from "commander";
import { send } from "../client.ts";
import { addServerOptions, idOf, printJson, type ServerOptions, serverOf } from "../options.ts";
import type { Terminal } from "../terminal.ts";

export function addRegistrations(promises: Command, terminal: Terminal): void {
  addServerOptions(
    promises
      .command("register-callback <awaited> <awaiter>")
      .description("Have a task resumed when a promise settles."),
  )
    .addHelpText("after", "\nExample:\n  $ resonate promises register-callback approval-7 order-7")
    .action(async (awaited: string, awaiter: string, options: ServerOptions) => {
      const data = { awaited: idOf(awaited), awaiter: idOf(awaiter) };
      const server = serverOf(options, terminal);
      const { promise } = await send(server, "promise.register_callback", data);
      printJson(terminal, promise, options);
    });
  addServerOptions(
    promises
      .command("register-listener <awaited> <address>")
      .description("Have an address told when a promise settles."),
  )
    .addHelpText(
      "after",
      "\nExample:\n  $ resonate promises register-listener approval-7 https://example.com/hook",
    )
    .action(async (awaited: string, address: string, options: ServerOptions) => {
      const data = { awaited: idOf(awaited), address };
      const server = serverOf(options, terminal);
      const { promise } = await send(server, "promise.register_listener", data);
      printJson(terminal, promise, options);
    });
}
