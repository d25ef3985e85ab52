/** `resonate schedules …`: promises that are created again and again. */
import { addressProblem, TAG } from "@resonate-ts/protocol";
import type { Command } from "commander";
import { send } from "../client.ts";
import { wrongInput } from "../failure.ts";
import {
  addServerOptions,
  durationOf,
  idOf,
  printJson,
  type ServerOptions,
  serverOf,
  tagsOf,
} from "../options.ts";
import { addPageOptions, type PageOptions, pageOf } from "../searching.ts";
import type { Terminal } from "../terminal.ts";
import { payloadOf } from "../values.ts";

export function addSchedules(root: Command, terminal: Terminal): void {
  const schedules = root
    .command("schedules")
    .alias("schedule")
    .description("Look at schedules, create and delete them.")
    .addHelpText("after", "\nExample:\n  $ resonate schedules search");
  addGet(schedules, terminal);
  addCreate(schedules, terminal);
  addDelete(schedules, terminal);
  addSearch(schedules, terminal);
}

function addGet(schedules: Command, terminal: Terminal): void {
  addServerOptions(schedules.command("get <id>").description("Print a schedule."))
    .addHelpText("after", "\nExample:\n  $ resonate schedules get nightly")
    .action(async (text: string, options: ServerOptions) => {
      const server = serverOf(options, terminal);
      const { schedule } = await send(server, "schedule.get", { id: idOf(text) });
      printJson(terminal, schedule, options);
    });
}

interface CreateOptions extends ServerOptions {
  readonly cron: string;
  readonly promiseId: string;
  readonly promiseTimeout: string;
  readonly promiseParam?: string;
  readonly promiseTags?: string;
}

function addCreate(schedules: Command, terminal: Terminal): void {
  addServerOptions(
    schedules
      .command("create <id>")
      .description("Create a schedule. One that is there already stays as it is.")
      .summary("create a schedule"),
  )
    .requiredOption("--cron <expression>", "when, in UTC: minute hour day month weekday")
    .requiredOption(
      "--promise-id <template>",
      "ids of its promises, with {{.id}} and {{.timestamp}}",
    )
    .requiredOption("--promise-timeout <duration>", "time until each promise is rejected by itself")
    .option("--promise-param <json>", 'payload, {"headers":{},"data":…}; data is encoded as base64')
    .option("--promise-tags <json>", 'tags, {"name":"text"}; resonate:target says who runs them')
    .addHelpText("after", CREATE_EXAMPLES)
    .action(async (text: string, options: CreateOptions) => {
      const { promiseParam: param } = options;
      const { schedule } = await send(serverOf(options, terminal), "schedule.create", {
        id: idOf(text),
        cron: options.cron,
        promiseId: options.promiseId,
        promiseTimeout: durationOf("--promise-timeout", options.promiseTimeout),
        promiseParam: param === undefined ? {} : payloadOf("--promise-param", param),
        promiseTags: targetedTags(options.promiseTags),
      });
      printJson(terminal, schedule, options);
    });
}

const CREATE_EXAMPLES = `
Weekdays are 0 to 6 from Sunday on, or names; 7 is Sunday too. Nobody runs a promise without a target, so one is required.

Example:
  $ resonate schedules create nightly --cron '0 3 * * MON-FRI' --promise-id 'nightly-{{.timestamp}}' \\
      --promise-timeout 1h --promise-param '{"data":{"func":"report","args":[],"version":1}}' \\
      --promise-tags '{"resonate:target":"poll://any@reporters"}'`;

function targetedTags(text = "{}") {
  const tags = tagsOf("--promise-tags", text);
  const target = tags[TAG.target];
  if (target === undefined) {
    throw wrongInput(
      `--promise-tags must say who runs it, such as {"${TAG.target}":"poll://any@default"}`,
    );
  }
  const problem = addressProblem(target);
  if (problem) throw wrongInput(`--promise-tags: ${TAG.target} ${problem}`);
  return tags;
}

function addDelete(schedules: Command, terminal: Terminal): void {
  addServerOptions(
    schedules
      .command("delete <id>")
      .description("Delete a schedule. The promises that it created stay.")
      .summary("delete a schedule"),
  )
    .addHelpText("after", "\nExample:\n  $ resonate schedules delete nightly")
    .action(async (text: string, options: ServerOptions) => {
      const id = idOf(text);
      const data = await send(serverOf(options, terminal), "schedule.delete", { id });
      if (options.json) printJson(terminal, data, options);
      else terminal.out(`Deleted ${id}. The promises that it created stay.`);
    });
}

interface SearchOptions extends ServerOptions, PageOptions {
  readonly tags?: string;
}

function addSearch(schedules: Command, terminal: Terminal): void {
  const search = schedules.command("search").alias("list").description("Print schedules by tags.");
  addPageOptions(
    addServerOptions(search).option(
      "--tags <json>",
      'only those whose promises have these tags, {"name":"text"}',
    ),
    { limit: 10 },
  )
    .addHelpText("after", "\nExample:\n  $ resonate schedules search --limit 100")
    .action(async (options: SearchOptions) => {
      const page = await send(serverOf(options, terminal), "schedule.search", {
        tags: options.tags === undefined ? {} : tagsOf("--tags", options.tags),
        ...pageOf(options),
      });
      printJson(terminal, page, options);
    });
}
