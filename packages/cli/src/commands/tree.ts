/** `resonate tree`: what a run consists of. */
import type { TreeNode } from "@resonate-ts/sdk";
import type { Command } from "commander";
import { send } from "../client.ts";
import { formatDuration } from "../duration.ts";
import { addServerOptions, idOf, printJson, type ServerOptions, serverOf } from "../options.ts";
import { withResonate } from "../resonate.ts";
import { lightOf, stateInWords } from "../state.ts";
import type { Terminal } from "../terminal.ts";

/** How long a look may take before it is said that it is under way, in ms. */
const READING_SAID_MS = 500;
/** Levels that are drawn; deeper ones are numbered, or a deep run would print the square of its depth. */
const LEVELS_DRAWN_MAX = 40;

export function addTree(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("tree <id>")
      .description("Print a run and everything it started, with states and times."),
  )
    .addHelpText("after", EXAMPLES)
    .action(async (text: string, options: ServerOptions) => {
      const id = idOf(text);
      const server = serverOf(options, terminal);
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

Examples:
  $ resonate tree greet-1
  $ resonate tree greet-1 --json`;

interface Row {
  readonly node: TreeNode;
  /** What stands before the node itself. */
  readonly connector: string;
  /** What stands before its children's connectors. */
  readonly indent: string;
  /** 0 at the top. */
  readonly level: number;
}

/** One line per node, a parent before its children. Not recursive: a tree may be deeper than the stack. */
export function treeLines(root: TreeNode, now: number): readonly string[] {
  const lines: string[] = [];
  const stack: Row[] = [{ node: root, connector: "", indent: "", level: 0 }];
  for (let row = stack.pop(); row; row = stack.pop()) {
    const { node, connector } = row;
    lines.push(`${connector}${describe(node, now)}`);
    for (const child of rowsUnder(row).reverse()) stack.push(child);
  }
  if (root.truncated) lines.push("… and more: the tree is too large to be read whole");
  return lines;
}

function rowsUnder({ node, indent, level: above }: Row): Row[] {
  const level = above + 1;
  const last = node.children.length - 1;
  if (level >= LEVELS_DRAWN_MAX) {
    return node.children.map((child) => ({
      node: child,
      connector: `${indent}[${level}] `,
      indent,
      level,
    }));
  }
  return node.children.map((child, at) => ({
    node: child,
    connector: `${indent}${at === last ? "└── " : "├── "}`,
    indent: `${indent}${at === last ? "    " : "│   "}`,
    level,
  }));
}

function describe(node: TreeNode, now: number): string {
  const spent = formatDuration(Math.max(0, (node.settledAt ?? now) - node.createdAt));
  const words = [node.id, lightOf(node.state), label(node), spent, verdict(node.state)];
  return [...words, node.shared ? "(shared)" : ""].filter((word) => word !== "").join(" ");
}

function label({ kind, func }: TreeNode): string {
  if (kind === "root") return func === undefined ? "" : `(${func})`;
  return func === undefined ? `(${kind})` : `(${kind} ${func})`;
}

function verdict(state: TreeNode["state"]): string {
  return state === "resolved" || state === "pending" ? "" : stateInWords(state);
}
