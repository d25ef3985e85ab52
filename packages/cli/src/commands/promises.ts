/** `resonate promises …`: promises as the server keeps them. */
import type { PromiseRecord, PromiseState, SettledState } from "@resonate-ts/protocol";
import { type Command, Option } from "commander";
import { send } from "../client.ts";
import { wrongInput } from "../failure.ts";
import {
  addServerOptions,
  durationOf,
  idOf,
  jsonOf,
  printJson,
  type ServerOptions,
  serverOf,
  tagsOf,
} from "../options.ts";
import { payloadInWords } from "../result.ts";
import { addPageOptions, type PageOptions, pageOf } from "../searching.ts";
import { PROMISE_STATES } from "../state.ts";
import type { Terminal } from "../terminal.ts";
import { encodeJson, payloadOf } from "../values.ts";
import { addRegistrations } from "./registrations.ts";

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
  addRegistrations(promises, terminal);
}

function addGet(promises: Command, terminal: Terminal): void {
  addServerOptions(
    promises
      .command("get <id>")
      .description(
        "Print a promise: its record, and below what its payloads hold. With --json the record only.",
      ),
  )
    .addHelpText("after", "\nExample:\n  $ resonate promises get greet-1")
    .action(async (text: string, options: ServerOptions) => {
      const server = serverOf(options, terminal);
      const { promise } = await send(server, "promise.get", { id: idOf(text) });
      printJson(terminal, promise, options);
      if (!options.json) await printPayloads(terminal, promise);
    });
}

async function printPayloads(terminal: Terminal, { param, value }: PromiseRecord): Promise<void> {
  for (const [name, payload] of Object.entries({ param, value })) {
    if (payload?.data === undefined) continue;
    const text = `${name}: ${await payloadInWords(payload)}`;
    for (const line of text.split("\n")) terminal.out(line);
  }
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
    .action(async (text: string, options: CreateOptions) => {
      const id = idOf(text);
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
    .action(async (text: string, options: SettleOptions) => {
      const id = idOf(text);
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

interface SearchOptions extends ServerOptions, PageOptions {
  readonly state?: PromiseState;
  readonly tags?: string;
}

function addSearch(promises: Command, terminal: Terminal): void {
  addPageOptions(
    addServerOptions(promises.command("search").description("Print promises by state and tags."))
      .addOption(new Option("--state <state>", "only those in this state").choices(PROMISE_STATES))
      .option("--tags <json>", 'only those with these tags, {"name":"text"}'),
    { limit: 100 },
  )
    .addHelpText("after", "\nExample:\n  $ resonate promises search --state pending --limit 10")
    .action(async (options: SearchOptions) => {
      const page = await send(serverOf(options, terminal), "promise.search", {
        ...(options.state === undefined ? {} : { state: options.state }),
        tags: options.tags === undefined ? {} : tagsOf("--tags", options.tags),
        ...pageOf(options),
      });
      printJson(terminal, page, options);
    });
}
