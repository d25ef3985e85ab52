/** `resonate cancel`: ends what nobody needs any more. */
import type { Command } from "commander";
import { send } from "../client.ts";
import { addServerOptions, idOf, type ServerOptions, serverOf } from "../options.ts";
import { withResonate } from "../resonate.ts";
import { stateInWords } from "../state.ts";
import type { Terminal } from "../terminal.ts";

interface CancelOptions extends ServerOptions {
  readonly tree?: boolean;
}

export function addCancel(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("cancel <id>")
      .description(
        "Cancel a promise. Whoever works on it is told, and whoever waits for it gets an error.",
      )
      .summary("cancel a promise, or a run with all it started"),
  )
    .option("--tree", "and everything pending that was started for it")
    .addHelpText("after", EXAMPLES)
    .action(async (text: string, options: CancelOptions) => {
      const id = idOf(text);
      const server = serverOf(options, terminal);
      const promise = options.tree
        ? await withResonate(server, async ({ promises }) => {
            // Says at once when there is no server, or no such promise.
            await send(server, "promise.get", { id });
            return promises.cancelTree(id);
          })
        : (await send(server, "promise.settle", { id, state: "rejected_canceled", value: {} }))
            .promise;
      if (options.json) terminal.out(JSON.stringify({ id, state: promise.state }));
      else terminal.out(inWords(id, stateInWords(promise.state), options));
    });
}

const EXAMPLES = `
The first settle wins: what had ended before stays as it was. With --tree, what has an id of its own (others may wait
for it) goes on, and so do detached calls.

Examples:
  $ resonate cancel report-may
  $ resonate cancel report-may --tree`;

function inWords(id: string, state: string, { tree = false }: CancelOptions): string {
  const below = tree ? ", with what was pending below it" : "";
  if (state === "canceled") return `${id} is canceled${below}.`;
  const rest = tree ? " What was pending below it is canceled." : "";
  return `${id} had ended before (${state}).${rest}`;
}
