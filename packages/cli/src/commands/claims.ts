/** The verbs of `resonate tasks` that workers need: a claim, and what is done under it. */
import type { ResponseData } from "@resonate-ts/protocol";
import type { Command } from "commander";
import { type Question, send } from "../client.ts";
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
  wholeNumberOf,
} from "../options.ts";
import type { Terminal } from "../terminal.ts";

const VERSIONS = { min: 0, max: 999_999_999_999_999 } as const;

/** The requests about claims. */
type ClaimKind = Extract<keyof ResponseData, `task.${string}`>;

interface ClaimOptions extends ServerOptions {
  readonly pid: string;
  readonly ttl: string;
  readonly timeout: string;
  readonly version: string;
  readonly param?: string;
  readonly tags?: string;
  readonly action: string;
  readonly actions: string;
  readonly tasks: string;
}

interface Verb<K extends ClaimKind> {
  /** How it is called, with its argument. */
  readonly usage: string;
  readonly alias?: string;
  readonly does: string;
  /** Flag and what it is; all are required. */
  readonly required: readonly (readonly [flag: string, help: string])[];
  readonly optional?: readonly (readonly [flag: string, help: string])[];
  readonly example: string;
  readonly kind: K;
  readonly question: (id: string, options: ClaimOptions) => Question<K>;
}

const PID = ["--pid <pid>", "the process that holds it"] as const;
const TTL = ["--ttl <duration>", "length of the lease, such as 1m"] as const;
const VERSION = ["--version <number>", "version of the claim"] as const;

const verb = <K extends ClaimKind>(one: Verb<K>): Verb<K> => one;

const VERBS = [
  verb<"task.create">({
    usage: "create <id>",
    does: "Create a promise and claim its task, or claim the one that is there.",
    required: [
      PID,
      TTL,
      ["-t, --timeout <duration>", "time until the promise is rejected by itself"],
    ],
    optional: [
      ["--param <json>", 'payload, {"headers":{},"data":"…"}, sent as given'],
      ["--tags <json>", 'tags, {"name":"text"}; resonate:target says who may run it'],
    ],
    example: `create job-1 --pid me --ttl 1m --timeout 1h --tags '{"resonate:target":"poll://any@default"}'`,
    kind: "task.create",
    question: (id, options) => ({
      pid: options.pid,
      ttl: durationOf("--ttl", options.ttl),
      action: {
        kind: "promise.create",
        head: {},
        data: {
          id,
          timeoutAt: Date.now() + durationOf("--timeout", options.timeout),
          param: options.param === undefined ? {} : objectOf("--param", options.param),
          tags: options.tags === undefined ? {} : tagsOf("--tags", options.tags),
        },
      },
    }),
  }),
  verb({
    usage: "claim <id>",
    alias: "acquire",
    does: "Claim a pending task. The version grows by one.",
    required: [PID, ["--version <number>", "its version now, as it was offered"], TTL],
    example: "claim job-1 --pid me --version 0 --ttl 1m",
    kind: "task.acquire",
    question: (id, { pid, version, ttl }) => ({
      id,
      pid,
      version: versionOf(version),
      ttl: durationOf("--ttl", ttl),
    }),
  }),
  verb({
    usage: "heartbeat",
    does: "Renew the leases of a process.",
    required: [PID, ["--tasks <json>", 'its claims, [{"id":"…","version":1}]']],
    example: `heartbeat --pid me --tasks '[{"id":"job-1","version":1}]'`,
    kind: "task.heartbeat",
    question: (_, { pid, tasks }) => ({ pid, tasks: listOf("--tasks", tasks) }),
  }),
  verb({
    usage: "fence <id>",
    does: "Create or settle another promise, if the claim still holds.",
    required: [
      VERSION,
      ["--action <json>", 'a request, {"kind":"promise.create","head":{},"data":{…}}'],
    ],
    example: `fence job-1 --version 1 --action '{"kind":"promise.settle","data":{"id":"a","state":"resolved"}}'`,
    kind: "task.fence",
    question: (id, { version, action }) => ({
      id,
      version: versionOf(version),
      action: objectOf("--action", action),
    }),
  }),
  verb({
    usage: "suspend <id>",
    does: "Give a claim back until one of several promises settles.",
    required: [
      VERSION,
      ["--actions <json>", 'requests, [{"kind":"promise.register_callback","data":{…}}]'],
    ],
    example: `suspend job-1 --version 1 --actions '[{"kind":"promise.register_callback","data":{"awaited":"a","awaiter":"job-1"}}]'`,
    kind: "task.suspend",
    question: (id, { version, actions }) => ({
      id,
      version: versionOf(version),
      actions: listOf("--actions", actions),
    }),
  }),
  verb({
    usage: "complete <id>",
    alias: "fulfill",
    does: "Settle the promise of a claimed task, and end the task with it.",
    required: [
      VERSION,
      ["--action <json>", 'a request, {"kind":"promise.settle","head":{},"data":{…}}'],
    ],
    example: `complete job-1 --version 1 --action '{"kind":"promise.settle","data":{"id":"job-1","state":"resolved"}}'`,
    kind: "task.fulfill",
    question: (id, { version, action }) => ({
      id,
      version: versionOf(version),
      action: objectOf("--action", action),
    }),
  }),
  verb({
    usage: "release <id>",
    does: "Give a claim back; the task is offered again at once.",
    required: [VERSION],
    example: "release job-1 --version 1",
    kind: "task.release",
    question: (id, { version }) => ({ id, version: versionOf(version) }),
  }),
];

export function addClaims(tasks: Command, terminal: Terminal): void {
  for (const one of VERBS) addClaimVerb(tasks, terminal, one as Verb<ClaimKind>); // Kind and question of one go together.
}

function addClaimVerb(tasks: Command, terminal: Terminal, one: Verb<ClaimKind>): void {
  const { usage, alias, does, required, optional = [], example, kind, question } = one;
  const command = addServerOptions(tasks.command(usage).description(does));
  if (alias !== undefined) command.alias(alias);
  for (const [flag, help] of required) command.requiredOption(flag, help);
  for (const [flag, help] of optional) command.option(flag, help);
  command.addHelpText("after", `\nExample:\n  $ resonate tasks ${example}`).action(async () => {
    const options = command.opts<ClaimOptions>();
    const id = usage.endsWith("<id>") ? idOf(command.args[0] ?? "") : "";
    const data = question(id, options);
    printJson(terminal, await send(serverOf(options, terminal), kind, data), options);
  });
}

function versionOf(text: string): number {
  return wholeNumberOf("--version", text, VERSIONS);
}

/** A part of a request as it was given; whether it is a good one the server says. */
function objectOf<T extends object>(flag: string, text: string): T {
  const value = jsonOf(flag, text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as T;
  throw wrongInput(`${flag} must be a JSON object, got '${text}'`);
}

/** The same of several. */
function listOf<T>(flag: string, text: string): readonly T[] {
  const value = jsonOf(flag, text);
  if (Array.isArray(value)) return value;
  throw wrongInput(`${flag} must be a JSON array, got '${text}'`);
}
