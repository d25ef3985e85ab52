/** `resonate dev` and `resonate serve`: a server in this process. */
import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { originOf, type PromiseRecord } from "@resonate-ts/protocol";
import {
  findSettingsFile,
  jsonLogger,
  keepHeapSmall,
  openEngine,
  type RunningServer,
  readSettings,
  SETTINGS,
  type SettingInfo,
  type SettingKey,
  type Settings,
  serve,
  settingsNotes,
  terminalLogger,
} from "@resonate-ts/server";
import { type Command, Option } from "commander";
import { send } from "../client.ts";
import { Failure, wrongInput } from "../failure.ts";
import { nextCommand } from "../next-command.ts";
import { SERVER_DEFAULT } from "../options.ts";
import { stopSignal } from "../signals.ts";
import type { Terminal } from "../terminal.ts";

/** What `dev` does otherwise: its data is kept under the working directory. */
const DEV_DEFAULTS = { level: "warn", "storage.sqlite.path": ".resonate/dev.db" } as const;
/** How many unfinished runs `dev` names when it starts. */
const RUNS_NAMED_MAX = 5;
/** How many promises `dev` looks at to name them. */
const PENDING_LOOKED_AT_MAX = 1_000;
/** How far past `server.shutdown_timeout` stopping may get before the process ends without it. */
const CLOSE_MS = 500;
/** How long a server that cannot work any more may take to end. */
const FAILED_MS = 500;

export function addServe(root: Command, terminal: Terminal): void {
  addSettings(root.command("serve").description("Run a server.").summary("run a server"))
    .addHelpText("after", SERVE_EXAMPLES)
    .action(async (options: FlagValues) => {
      const settings = settingsOf(options, terminal);
      await runServer(terminal, settings, (server) => announce(terminal, server, settings));
    });
}

export function addDev(root: Command, terminal: Terminal): void {
  addSettings(
    root
      .command("dev")
      .description(
        `Run a server for development. Data is kept in ${DEV_DEFAULTS["storage.sqlite.path"]} under this directory.`,
      )
      .summary("run a server for development"),
    DEV_DEFAULTS,
  )
    .option("--memory", "keep nothing")
    .option("--reset", "forget what earlier runs kept")
    .addHelpText("after", DEV_EXAMPLES)
    .action(async (options: FlagValues) => {
      const memory = options.memory ? { "storage.type": "memory" as const } : {};
      const settings = { ...settingsOf(options, terminal, DEV_DEFAULTS), ...memory };
      const path = fileOf(settings);
      if (path !== undefined) await makeFolder(path);
      if (path !== undefined && options.reset) await reset(path);
      await runServer(terminal, settings, async (server) => {
        announce(terminal, server, settings);
        announceUrl(terminal, settings["server.url"] ?? server.url);
        await announcePending(terminal, server, settings);
      });
    });
}

const FILE = `
Settings come from resonate.toml here or the file named by --config (server.port is port under [server]), then from
the environment (--server-port is RESONATE_SERVER__PORT), then from flags; what comes later wins. Lists are separated
by commas. Known to official servers, and accepted without effect: ${SETTINGS.flatMap(({ unused, key }) => (unused ? [key] : [])).join(", ")}.`;

const SERVE_EXAMPLES = `${FILE}

Examples:
  $ resonate serve --storage-sqlite-path /var/lib/resonate/resonate.db
  $ RESONATE_SERVER__PORT=9001 resonate serve
  $ RESONATE_STORAGE__POSTGRES__URL=postgres://user:password@host/database resonate serve --storage-type postgres`;

const DEV_EXAMPLES = `${FILE}

Examples:
  $ resonate dev
  $ resonate dev --reset
  $ resonate dev --memory --server-port 0`;

type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

function addSettings(command: Command, defaults: Partial<Settings> = {}): Command {
  command.option(
    "--config <file>",
    "configuration file (default: resonate.toml if there is one) [RESONATE_CONFIG]",
  );
  for (const setting of SETTINGS) {
    const initial = defaults[setting.key] ?? setting.initial;
    command.addOption(optionOf({ ...setting, initial }));
  }
  return command;
}

/** Without commander's own default: a flag that was not given must give way to the environment. */
function optionOf(setting: SettingInfo): Option {
  const { flag, env, help, initial, otherwise, choices, list, unused } = setting;
  const values = typeof initial === "boolean" ? "[true|false]" : list ? "<text...>" : "<value>";
  const words = choices === undefined ? "" : `; one of ${choices.join(", ")}`;
  const fallback = initial === undefined ? otherwise : String(initial);
  const text = `${help}${words}${fallback ? ` (default: ${fallback})` : ""} [${env}]`;
  const option = new Option(`${flag} ${values}`, text);
  return unused ? option.hideHelp() : option;
}

function settingsOf(
  options: FlagValues,
  terminal: Terminal,
  defaults: Partial<Settings> = {},
): Settings {
  const flags: { [K in SettingKey]?: string } = {};
  for (const setting of SETTINGS) {
    const value = options[optionOf(setting).attributeName()];
    if (value !== undefined) flags[setting.key] = String(value);
  }
  const { env } = terminal;
  const named = typeof options.config === "string" ? options.config : env.RESONATE_CONFIG;
  const file = findSettingsFile(named || undefined, process.cwd());
  const input = { env, flags, file, defaults };
  const settings = readSettings(input);
  for (const note of settingsNotes(input)) terminal.err(note, "dim");
  return settings;
}

function fileOf(settings: Settings): string | undefined {
  return settings["storage.type"] === "sqlite"
    ? resolve(settings["storage.sqlite.path"])
    : undefined;
}

function placeOf(settings: Settings): string {
  if (settings["storage.type"] === "postgres") return "in PostgreSQL";
  return fileOf(settings) ?? "in memory, gone when this ends";
}

/** Runs until a signal comes, or until the server fails. */
async function runServer(
  terminal: Terminal,
  settings: Settings,
  started: (server: RunningServer) => void | Promise<void>,
): Promise<void> {
  keepHeapSmall();
  const told = stopSignal();
  const loggerFor = terminal.watched ? terminalLogger : jsonLogger;
  const logger = loggerFor(settings.level, (line) => terminal.raw(line, "err"));
  const server = await serve(settings, { logger });
  try {
    await Promise.race([Promise.resolve(started(server)).then(() => told), failureOf(server)]);
  } catch (error) {
    exitAfter(FAILED_MS);
    server.close().catch(() => {});
    throw error;
  }
  terminal.err("Stopping; once more to stop at once.", "dim");
  exitAfter(settings["server.shutdown_timeout"] + CLOSE_MS);
  await server.close();
}

async function failureOf(server: RunningServer): Promise<never> {
  try {
    return await server.failed;
  } catch (error) {
    throw new Failure(
      `the storage failed, and what was last written is not known: ${String(error)}. Start again to go on`,
    );
  }
}

/** What never ends must not keep the process: it is given this long. */
function exitAfter(ms: number): void {
  setTimeout(() => process.exit(1), ms).unref();
}

function announce(terminal: Terminal, { url }: RunningServer, settings: Settings): void {
  terminal.out(`Resonate listens on ${url}`, "bold");
  if (settings.ui) terminal.out(`Page: ${url}/ui`);
  terminal.out(`Data: ${placeOf(settings)}`);
}

/** Workers look at the default by themselves. */
function announceUrl(terminal: Terminal, url: string): void {
  if (url !== SERVER_DEFAULT) terminal.out(`Workers find it with RESONATE_URL=${url}`);
}

async function announcePending(
  terminal: Terminal,
  { url }: RunningServer,
  settings: Settings,
): Promise<void> {
  if (settings["auth.publickey"] !== undefined) {
    terminal.out("Pending: not shown, because the server wants a token");
    return;
  }
  const promises = await pending(url);
  if (!promises) {
    terminal.out(`Pending: not known, because ${url} does not lead here from this machine`);
    return;
  }
  const runs = [...new Set(promises.map(({ id }) => originOf(id)))];
  const [first] = runs;
  if (first === undefined) {
    terminal.out("Pending: nothing");
    const invoke = nextCommand(["invoke", "ID", "-f", "FUNCTION", "--wait"], { url });
    terminal.out(`Next: start a worker, then: ${invoke} (more: resonate invoke --help)`);
    return;
  }
  const named = runs.slice(0, RUNS_NAMED_MAX).join(", ");
  const more = runs.length > RUNS_NAMED_MAX || promises.length === PENDING_LOOKED_AT_MAX;
  terminal.out(`Pending: ${named}${more ? ", …" : ""}`);
  terminal.out(`Next: ${nextCommand(["tree", first], { url })}`);
}

/** Some of what is pending; nothing when the server's own URL does not lead to it: others may reach it all the same. */
async function pending(url: string): Promise<readonly PromiseRecord[] | undefined> {
  const page = { state: "pending", limit: PENDING_LOOKED_AT_MAX } as const;
  try {
    return (await send({ url }, "promise.search", page)).promises;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw wrongInput(`'${path}' cannot be opened: '${folder}' cannot be made a folder${code}`);
  }
}

/** Removes a database, unless another process has it open. */
async function reset(path: string): Promise<void> {
  try {
    const engine = await openEngine({ path });
    await engine.close();
  } catch (error) {
    // A file that cannot be used is a good reason to forget it; one that is in use is not.
    if (error instanceof Error && error.name === "StoreInUseError") throw error;
  }
  for (const suffix of ["", "-wal", "-shm", "-journal"]) await rm(path + suffix, { force: true });
}
