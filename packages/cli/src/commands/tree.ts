/** `resonate tree`: what a run consists of. */
import type { TreeNode } from "@resonate-ts/sdk";
import type { Command } from "commander";
import { send } from "../client.ts";
import { formatDuration } from "../duration.ts";
import { addServerOptions, printJson, type ServerOptions, serverOf } from "../options.ts";
import { withResonate } from "../resonate.ts";
import type { Terminal } from "../terminal.ts";

export function addTree(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("tree <id>")
      .description("Print a run and everything it started, with states and times."),
  )
    .addHelpText("after", EXAMPLES)
    .action(async (id: string, options: ServerOptions) => {
      const server = serverOf(options, terminal);
      // Says at once when there is no server, or no such promise.
      await send(server, "promise.get", { id });
      const tree = await withResonate(server, ({ promises }) => promises.tree(id));
      if (options.json) printJson(terminal, tree, options);
      else for (const line of treeLines(tree, Date.now())) terminal.out(line);
    });
}

const EXAMPLES = `
States:  🟢 resolved  🟡 pending  🔴 rejected, canceled or timed out
(shared) marks what another run may have started or use too.

Examples:
  $ resonate tree greet-1
  $ resonate tree greet-1 --json`;

interface Row {
  readonly node: TreeNode;
  /** What stands before the node itself. */
  readonly connector: string;
  /** What stands before its children's connectors. */
  readonly indent: string;
}

/** One line per node, a parent before its children. Not recursive: a tree may be deeper than the stack. */
export function treeLines(root: TreeNode, now: number): readonly string[] {
  const lines: string[] = [];
  const stack: Row[] = [{ node: root, connector: "", indent: "" }];
  for (let row = stack.pop(); row; row = stack.pop()) {
    const { node, connector, indent } = row;
    lines.push(`${connector}${describe(node, now)}`);
    const last = node.children.length - 1;
    const rows = node.children.map((child, at) => ({
      node: child,
      connector: `${indent}${at === last ? "└── " : "├── "}`,
      indent: `${indent}${at === last ? "    " : "│   "}`,
    }));
    for (const child of rows.reverse()) stack.push(child);
  }
  if (root.truncated) lines.push("… and more: the tree is too large to be read whole");
  return lines;
}

function describe(node: TreeNode, now: number): string {
  const spent = formatDuration(Math.max(0, (node.settledAt ?? now) - node.createdAt));
  const words = [node.id, light(node.state), label(node), spent, verdict(node.state)];
  return [...words, node.shared ? "(shared)" : ""].filter((word) => word !== "").join(" ");
}

function light(state: TreeNode["state"]): string {
  if (state === "pending") return "🟡";
  return state === "resolved" ? "🟢" : "🔴";
}

function label({ kind, func }: TreeNode): string {
  if (kind === "root") return func === undefined ? "" : `(${func})`;
  return func === undefined ? `(${kind})` : `(${kind} ${func})`;
}

function verdict(state: TreeNode["state"]): string {
  return state === "resolved" || state === "pending" ? "" : state.replace("rejected_", "");
}
