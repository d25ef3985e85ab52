/** `resonate invoke`: starts a function somewhere by creating the promise of its result. */
import { setTimeout } from "node:timers/promises";
import {
  anycast,
  type PromiseCreate,
  type PromiseRecord,
  parseAddress,
  rootIdProblem,
  TAG,
} from "@resonate-ts/protocol";
import type { Command } from "commander";
import { type ServerAddress, send } from "../client.ts";
import { wrongInput } from "../failure.ts";
import { nextCommand } from "../next-command.ts";
import {
  addServerOptions,
  durationOf,
  idOf,
  jsonOf,
  type ServerOptions,
  serverOf,
  wholeNumberOf,
} from "../options.ts";
import { printResult } from "../result.ts";
import { stateInWords } from "../state.ts";
import type { Terminal } from "../terminal.ts";
import { encodeJson } from "../values.ts";
import { tellObstacles } from "../waiting.ts";

/** Versions of functions count from 1; whoever registers one chooses. */
const VERSIONS = { min: 1, max: 999_999_999 } as const;

interface InvokeOptions extends ServerOptions {
  readonly func: string;
  readonly arg?: readonly string[];
  readonly jsonArgs?: string;
  readonly version: string;
  readonly timeout: string;
  readonly target: string;
  readonly delay?: string;
  readonly wait?: boolean;
}

export function addInvoke(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("invoke <id>")
      .description("Run a function under an id. An id is run once, for ever."),
  )
    .requiredOption("-f, --func <name>", "registered name of the function")
    .option("--arg <value>", "one argument, JSON or else text; repeat for more", collect)
    .option("--json-args <array>", "all arguments as one JSON array")
    .option("--version <number>", "version of the function", "1")
    .option("-t, --timeout <duration>", "time until it is given up", "1h")
    .option(
      "--target <target>",
      "who runs it: an address, or the name of a group",
      "poll://any@default",
    )
    .option("--delay <duration>", "time until it starts")
    .option("--wait", "wait for the result and print it")
    .addHelpText("after", EXAMPLES)
    .action(async (id: string, options: InvokeOptions) => {
      const request = requestOf(id, options, Date.now());
      const server = serverOf(options, terminal);
      const { promise } = await send(server, "promise.create", request);
      warnOfTarget(terminal, promise);
      if (options.wait) await waitFor(promise, { terminal, server, options });
      else announce({ terminal, server, options }, { request, promise });
    });
}

const EXAMPLES = `
With --wait, Ctrl-C ends the waiting, with exit code 130. The work goes on; the same command waits for it again.

Examples:
  $ resonate invoke factorial-20 -f factorial --arg 20 --target factorial-workers --wait
  $ resonate invoke report-may -f report --json-args '[{"month":5},true]' --target reporters
  $ resonate invoke remind-7 -f remind --delay 1h30m`;

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function requestOf(id: string, options: InvokeOptions, now: number): PromiseCreate {
  const problem = rootIdProblem(idOf(id));
  if (problem) throw wrongInput(problem);
  if (options.func === "") throw wrongInput("--func must be the name of a function, got ''");
  const version = wholeNumberOf("--version", options.version, VERSIONS);
  const delayMs = options.delay === undefined ? 0 : durationOf("--delay", options.delay);
  return {
    id,
    timeoutAt: now + delayMs + durationOf("--timeout", options.timeout),
    param: encodeJson({ func: options.func, args: argumentsOf(options), version }),
    tags: {
      [TAG.origin]: id,
      [TAG.branch]: id,
      [TAG.parent]: id,
      [TAG.scope]: "global",
      [TAG.target]: targetOf(options.target),
      ...(delayMs === 0 ? {} : { [TAG.delay]: String(now + delayMs) }),
    },
  };
}

function argumentsOf({ arg = [], jsonArgs }: InvokeOptions): readonly unknown[] {
  if (jsonArgs === undefined) return arg.map(jsonOrText);
  if (arg.length > 0) throw wrongInput("--arg and --json-args exclude each other");
  const all = jsonOf("--json-args", jsonArgs);
  if (!Array.isArray(all)) throw wrongInput(`--json-args must be a JSON array, got '${jsonArgs}'`);
  return all;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function targetOf(target: string): string {
  if (parseAddress(target)) return target;
  if (/^[\w.-]+$/.test(target)) return anycast(target);
  throw wrongInput(`--target must be an address or the name of a group, got '${target}'`);
}

/** Official servers deliver to other addresses too, so it may be meant. */
function warnOfTarget(terminal: Terminal, { tags, state }: PromiseRecord): void {
  const target = tags[TAG.target];
  if (target === undefined || state !== "pending") return;
  if (parseAddress(target)?.kind !== "other") return;
  terminal.err(
    `Warning: servers of this version deliver to poll://, http:// and https:// addresses alone; from one of them ${target} is never told.`,
  );
}

interface Surroundings {
  readonly terminal: Terminal;
  readonly server: ServerAddress;
  readonly options: InvokeOptions;
}

async function waitFor(promise: PromiseRecord, { terminal, server, options }: Surroundings) {
  terminal.err(`Waiting for ${promise.id}; Ctrl-C ends the waiting, not the work.`, "dim");
  const end = new AbortController();
  const pause = (ms: number) => setTimeout(ms, undefined, { signal: end.signal, ref: false });
  try {
    await Promise.race([
      printResult(terminal, server, promise.id, options),
      tellObstacles({ terminal, server, promise, pause }),
    ]);
  } finally {
    end.abort();
  }
}

function announce(
  { terminal, server, options }: Surroundings,
  { request, promise }: { request: PromiseCreate; promise: PromiseRecord },
): void {
  const { id, state } = promise;
  // An id that was known before keeps the deadline it was given then.
  const created = promise.timeoutAt === request.timeoutAt;
  if (options.json) {
    terminal.out(JSON.stringify({ id, state, created }));
    return;
  }
  const target = promise.tags[TAG.target] ?? "nobody";
  if (created) terminal.out(`Created ${id}: ${options.func}, for ${target} at ${server.url}.`);
  else terminal.out(`${id} exists already (${stateInWords(state)}). Nothing was changed.`);
  const found = serverOf({}, terminal).url;
  terminal.out(`Follow it with: ${nextCommand(["tree", id], { url: server.url, found })}`, "dim");
}
