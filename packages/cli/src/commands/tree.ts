/** `resonate tree`: what a run consists of. */
import type { TreeNode } from "@resonate-ts/sdk";
import type { Command } from "commander";
import { branches, LEVELS_DRAWN_MAX } from "../branches.ts";
import { send } from "../client.ts";
import { formatDuration } from "../duration.ts";
import { labelOf } from "../label.ts";
import { addServerOptions, idOf, printJson, type ServerOptions, serverOf } from "../options.ts";
import { withResonate } from "../resonate.ts";
import { lightOf, stateInWords } from "../state.ts";
import type { Terminal } from "../terminal.ts";
import { watchRun } from "../watching.ts";

/** How long a look may take before it is said that it is under way, in ms. */
const READING_SAID_MS = 500;

interface TreeOptions extends ServerOptions {
  readonly watch?: boolean;
}

export function addTree(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("tree <id>")
      .description("Print a run and everything it started, with states and times."),
  )
    .option("--watch", "go on until it has ended: drawn in place in a terminal, else line by line")
    .addHelpText("after", EXAMPLES)
    .action(async (text: string, options: TreeOptions) => {
      const id = idOf(text);
      const server = serverOf(options, terminal);
      if (options.watch) {
        await send(server, "promise.get", { id });
        return watchRun({ terminal, server, id, json: options.json === true });
      }
      const tree = await sayWhileReading(terminal, `Reading ${id} …`, async () => {
        // Says at once when there is no server, or no such promise.
        await send(server, "promise.get", { id });
        return withResonate(server, ({ promises }) => promises.tree(id));
      });
      if (options.json) printJson(terminal, tree, options);
      else for (const line of treeLines(tree, Date.now())) terminal.out(line);
    });
}

/** Says `line` when `read` takes its time and somebody is looking. */
async function sayWhileReading<T>(
  terminal: Terminal,
  line: string,
  read: () => Promise<T>,
): Promise<T> {
  if (!terminal.watched) return read();
  const saying = setTimeout(() => terminal.err(line, "dim"), READING_SAID_MS);
  try {
    return await read();
  } finally {
    clearTimeout(saying);
  }
}

const EXAMPLES = `
States:  🟢 resolved  🟡 pending  🔴 rejected, canceled or timed out
(shared) marks what another run may have started or use too.
From level ${LEVELS_DRAWN_MAX} on, levels are numbered in place of being drawn.
With --watch the exit code is 0 however the run ends (see 'resonate watch'), like siblings are summed up, each worker
has a colour, and Ctrl-C ends the watching, not the work.

Examples:
  $ resonate tree greet-1
  $ resonate tree greet-1 --watch
  $ resonate tree greet-1 --json`;

/** One line per node, a parent before its children. */
export function treeLines(root: TreeNode, now: number): readonly string[] {
  const lines: string[] = [];
  for (const { node, prefix } of branches(root, ({ children }) => children)) {
    lines.push(`${prefix}${describe(node, now)}`);
  }
  if (root.truncated) lines.push("… and more: the tree is too large to be read whole");
  return lines;
}

function describe(node: TreeNode, now: number): string {
  const spent = formatDuration(Math.max(0, (node.settledAt ?? now) - node.createdAt));
  const words = [node.id, lightOf(node.state), labelOf(node), spent, verdict(node.state)];
  return [...words, node.shared ? "(shared)" : ""].filter((word) => word !== "").join(" ");
}

function verdict(state: TreeNode["state"]): string {
  return state === "resolved" || state === "pending" ? "" : stateInWords(state);
}
