/** `resonate promises …`: promises as the server keeps them. */
import type { PromiseState, SettledState } from "@resonate-ts/protocol";
import type { Command } from "commander";
import { send } from "../client.ts";
import { wrongInput } from "../failure.ts";
import {
  addServerOptions,
  durationOf,
  jsonOf,
  printJson,
  type ServerOptions,
  serverOf,
  tagsOf,
  wholeNumberOf,
} from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { encodeJson, payloadOf } from "../values.ts";

export function addPromises(root: Command, terminal: Terminal): void {
  const promises = root
    .command("promises")
    .alias("promise")
    .description("Look at promises, create them and settle them.")
    .addHelpText("after", "\nExample:\n  $ resonate promises search --state pending --limit 10");
  addGet(promises, terminal);
  addCreate(promises, terminal);
  addSettle(promises, terminal, { verb: "resolve", state: "resolved" });
  addSettle(promises, terminal, { verb: "reject", state: "rejected" });
  addSettle(promises, terminal, { verb: "cancel", state: "rejected_canceled" });
  addSearch(promises, terminal);
}

function addGet(promises: Command, terminal: Terminal): void {
  addServerOptions(promises.command("get <id>").description("Print a promise."))
    .addHelpText("after", "\nExample:\n  $ resonate promises get greet-1")
    .action(async (id: string, options: ServerOptions) => {
      const { promise } = await send(serverOf(options, terminal), "promise.get", { id });
      printJson(terminal, promise, options);
    });
}

interface CreateOptions extends ServerOptions {
  readonly timeout: string;
  readonly param?: string;
  readonly tags?: string;
}

function addCreate(promises: Command, terminal: Terminal): void {
  addServerOptions(
    promises.command("create <id>").description("Create a promise for somebody to settle."),
  )
    .requiredOption(
      "-t, --timeout <duration>",
      "time until it is rejected by itself, such as 1h30m",
    )
    .option("--param <json>", 'payload, {"headers":{},"data":…}; data is encoded as base64')
    .option("--tags <json>", 'tags, {"name":"text"}')
    .addHelpText("after", "\nExample:\n  $ resonate promises create approval-7 --timeout 1d")
    .action(async (id: string, options: CreateOptions) => {
      const { promise } = await send(serverOf(options, terminal), "promise.create", {
        id,
        timeoutAt: Date.now() + durationOf("--timeout", options.timeout),
        param: options.param === undefined ? {} : payloadOf("--param", options.param),
        tags: options.tags === undefined ? {} : tagsOf("--tags", options.tags),
      });
      printJson(terminal, promise, options);
    });
}

interface SettleOptions extends ServerOptions {
  readonly value?: string;
  readonly jsonValue?: string;
}

function addSettle(
  promises: Command,
  terminal: Terminal,
  { verb, state }: { verb: string; state: SettledState },
): void {
  addServerOptions(
    promises
      .command(`${verb} <id>`)
      .description(
        `Settle a promise as ${state}. The first settle wins; a later one changes nothing.`,
      ),
  )
    .option("--value <json>", 'payload, {"headers":{},"data":…}; data is encoded as base64')
    .option("--json-value <json>", "a value for programs that await it, as JSON")
    .addHelpText(
      "after",
      `\nExample:\n  $ resonate promises ${verb} approval-7 --json-value '"yes"'`,
    )
    .action(async (id: string, options: SettleOptions) => {
      const value = settleValue(options);
      const server = serverOf(options, terminal);
      const { promise } = await send(server, "promise.settle", { id, state, value });
      printJson(terminal, promise, options);
    });
}

function settleValue({ value, jsonValue }: SettleOptions) {
  if (value !== undefined && jsonValue !== undefined) {
    throw wrongInput("--value and --json-value exclude each other");
  }
  if (jsonValue !== undefined) return encodeJson(jsonOf("--json-value", jsonValue));
  return value === undefined ? {} : payloadOf("--value", value);
}

interface SearchOptions extends ServerOptions {
  readonly state?: PromiseState;
  readonly tags?: string;
  readonly limit: string;
  readonly cursor?: string;
}

function addSearch(promises: Command, terminal: Terminal): void {
  addServerOptions(promises.command("search").description("Print promises by state and tags."))
    .option("--state <state>", "pending, resolved, rejected, rejected_canceled, rejected_timedout")
    .option("--tags <json>", 'only those with these tags, {"name":"text"}')
    .option("--limit <number>", "at most so many", "100")
    .option("--cursor <cursor>", "go on where the page before ended")
    .addHelpText("after", "\nExample:\n  $ resonate promises search --state pending --limit 10")
    .action(async (options: SearchOptions) => {
      const page = await send(serverOf(options, terminal), "promise.search", {
        ...(options.state === undefined ? {} : { state: options.state }),
        ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
        tags: options.tags === undefined ? {} : tagsOf("--tags", options.tags),
        limit: wholeNumberOf("--limit", options.limit),
      });
      printJson(terminal, page, options);
    });
}
