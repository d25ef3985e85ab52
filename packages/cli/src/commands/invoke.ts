/** `resonate invoke`: starts a function somewhere by creating the promise of its result. */
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
import {
  addServerOptions,
  durationOf,
  jsonOf,
  type ServerOptions,
  serverOf,
  wholeNumberOf,
} from "../options.ts";
import { printResult } from "../result.ts";
import type { Terminal } from "../terminal.ts";
import { encodeJson } from "../values.ts";

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
      if (options.wait) {
        terminal.err(`Waiting for ${id}; Ctrl-C ends the waiting, not the work.`, "dim");
        await printResult(terminal, server, id, options);
      } else {
        announce({ terminal, server, options }, { request, promise });
      }
    });
}

const EXAMPLES = `
Examples:
  $ resonate invoke greet-1 -f greet --arg World --wait
  $ resonate invoke report-may -f report --json-args '[{"month":5},true]' --target reporters
  $ resonate invoke remind-7 -f remind --delay 1h30m`;

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function requestOf(id: string, options: InvokeOptions, now: number): PromiseCreate {
  const problem = rootIdProblem(id);
  if (problem) throw wrongInput(problem);
  const version = wholeNumberOf("--version", options.version);
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

function announce(
  {
    terminal,
    server,
    options,
  }: { terminal: Terminal; server: ServerAddress; options: InvokeOptions },
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
  else terminal.out(`${id} exists already, and is ${state}. Nothing was changed.`);
  terminal.out(`Follow it with: resonate tree ${id}`, "dim");
}
