/** `resonate mcp`: promises for a model. */
import type { Command } from "commander";
import { addServerOptions, type ServerOptions, serverOf } from "../options.ts";
import { stopSignal } from "../signals.ts";
import type { Terminal } from "../terminal.ts";
import { version } from "../version.ts";

export function addMcp(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("mcp")
      .description(
        "Be an MCP server on standard input and output: tools to create, read, find, settle and await promises.",
      )
      .summary("be an MCP server, on standard input and output"),
    { json: false },
  )
    .addHelpText("after", EXAMPLES)
    .action(async (options: ServerOptions) => {
      const server = serverOf(options, terminal);
      // No other command needs it, and it takes its time.
      const { serveMcp } = await import("../mcp/serve.ts");
      const log = (line: string) => terminal.err(`resonate mcp: ${line}`);
      await serveMcp({ server, version: version(), log, stopped: stopSignal() });
    });
}

const EXAMPLES = `
Promises that are listened to are told as notifications/claude/channel when they settle. No script is run by it.

Examples:
  $ resonate mcp
  $ claude mcp add resonate -- resonate mcp --server http://localhost:8001`;
