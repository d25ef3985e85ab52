/** `resonate list`: runs, and what is stuck. */
import { originOf, type PromiseRecord, type PromiseState, TAG } from "@resonate-ts/protocol";
import { type Command, Option } from "commander";
import { type ServerAddress, send } from "../client.ts";
import { formatDuration } from "../duration.ts";
import { nextCommand } from "../next-command.ts";
import { addServerOptions, type ServerOptions, serverOf, wholeNumberOf } from "../options.ts";
import { lightOf, PROMISE_STATES, stateInWords } from "../state.ts";
import type { Terminal } from "../terminal.ts";
import { functionNameOf } from "../values.ts";

const LIMITS = { min: 1, max: 1_000 } as const;
/** Promises read at a time. */
const PAGE = 1_000;
/** Most promises that are looked at: their runs may have many more steps than there are runs. */
const LOOKED_AT_MAX = 50_000;

interface ListOptions extends ServerOptions {
  readonly state: PromiseState | "any";
  readonly prefix?: string;
  readonly limit: string;
}

export function addList(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("list")
      .description("Print runs (what nobody else called), and which tasks are halted.")
      .summary("print runs, and what is halted"),
  )
    .addOption(
      new Option("--state <state>", "only those in this state")
        .choices([...PROMISE_STATES, "any"])
        .default("pending"),
    )
    .option("--prefix <text>", "only those whose id starts so")
    .option("--limit <number>", `at most so many, ${LIMITS.min} to ${LIMITS.max}`, "50")
    .addHelpText("after", EXAMPLES)
    .action(async (options: ListOptions) => {
      const limit = wholeNumberOf("--limit", options.limit, LIMITS);
      const server = serverOf(options, terminal);
      const { runs, more } = await findRuns(server, options, limit);
      const halted = (await send(server, "task.search", { state: "halted", limit })).tasks;
      const found = { runs, more, halted: halted.map(({ id }) => id) };
      if (options.json) terminal.out(JSON.stringify({ ...found, runs: runs.map(brief) }));
      else print(terminal, found, server.url);
    });
}

const EXAMPLES = `
Examples:
  $ resonate list
  $ resonate list --state any --prefix report-`;

interface Found {
  readonly runs: readonly PromiseRecord[];
  /** There may be more of them. */
  readonly more: boolean;
}

async function findRuns(
  server: ServerAddress,
  { state, prefix }: ListOptions,
  limit: number,
): Promise<Found> {
  const runs: PromiseRecord[] = [];
  let cursor: string | undefined;
  for (let lookedAt = 0; lookedAt < LOOKED_AT_MAX; lookedAt += PAGE) {
    const page = await send(server, "promise.search", {
      ...(state === "any" ? {} : { state }),
      ...(prefix === undefined ? {} : { idPrefix: prefix }),
      ...(cursor === undefined ? {} : { cursor }),
      tags: {},
      limit: PAGE,
    });
    // Servers without `idPrefix` find all.
    runs.push(...page.promises.filter((one) => isRun(one) && one.id.startsWith(prefix ?? "")));
    cursor = page.cursor;
    if (runs.length > limit || cursor === undefined) break;
  }
  return { runs: runs.slice(0, limit), more: runs.length > limit || cursor !== undefined };
}

function isRun({ id, tags }: PromiseRecord): boolean {
  return (tags[TAG.origin] ?? originOf(id)) === id && tags[TAG.caller] === undefined;
}

function brief({ id, state, param, tags, createdAt, settledAt }: PromiseRecord) {
  const func = functionNameOf(param);
  const target = tags[TAG.target];
  return {
    id,
    state,
    ...(func !== undefined && { func }),
    ...(target !== undefined && { target }),
    createdAt,
    ...(settledAt !== undefined && { settledAt }),
  };
}

function print(
  terminal: Terminal,
  { runs, more, halted }: Found & { readonly halted: readonly string[] },
  url: string,
): void {
  for (const run of runs) terminal.out(lineOf(run, Date.now()));
  if (runs.length === 0) terminal.out("No such runs.");
  if (more) terminal.out("… and there may be more: see --limit, --state and --prefix", "dim");
  const [first] = halted;
  if (first === undefined) return;
  terminal.out(`Halted: ${halted.join(", ")}`, "red");
  const found = serverOf({}, terminal).url;
  terminal.out(`Why: ${nextCommand(["tasks", "get", first], { url, found })}`, "dim");
}

function lineOf({ id, state, param, tags, createdAt, settledAt }: PromiseRecord, now: number) {
  const func = functionNameOf(param);
  const target = tags[TAG.target];
  const words = [
    id,
    lightOf(state),
    func === undefined ? "" : `(${func})`,
    formatDuration(Math.max(0, (settledAt ?? now) - createdAt)),
    state === "pending" || state === "resolved" ? "" : stateInWords(state),
    target === undefined || state !== "pending" ? "" : `for ${target}`,
  ];
  return words.filter((word) => word !== "").join(" ");
}
