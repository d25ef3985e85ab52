/** What a person can ask for and set: each setting by a flag or an environment variable; the flag wins. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";

export interface Settings {
  /** The business id of the order to notify about. */
  readonly order: string;
  /** Which of the two versions of the function runs. */
  readonly style: "generator" | "async";
  /** The push provider fails its first request. */
  readonly crash: boolean;
  /** Where the server is; without one everything is kept in a file. */
  readonly server?: string | undefined;
  /** The folder for that file, and for what the sandbox received. */
  readonly data: string;
}

/** What was asked for cannot be done as it was asked: exit code 2. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export type Asked =
  | { readonly kind: "run"; readonly settings: Settings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly line: string };

/** Reads the words after the program's name, and the environment. */
export function readSettings(words: readonly string[], env = process.env): Asked {
  try {
    const { values } = parseArgs({ args: [...words], options: FLAGS });
    if (values.help) return { kind: "help", text: HELP };
    const settings = schema.parse({
      ...values,
      server: values.server ?? (env["RESONATE_URL"] || undefined),
      data: values.data ?? (env["NOTIFICATIONS_DATA"] || undefined),
    });
    return { kind: "run", settings };
  } catch (error) {
    return { kind: "wrong", line: `fan-out-notifications: ${problem(error)}. Try --help.` };
  }
}

const FLAGS = {
  order: { type: "string" },
  style: { type: "string" },
  crash: { type: "boolean" },
  server: { type: "string" },
  data: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const schema = z.object({
  order: z
    .string()
    .regex(/^[\w-]{1,64}$/, "--order must be 1 to 64 letters, digits, '-' or '_'")
    .default(() => randomUUID().slice(0, 8)),
  style: z
    .enum(["generator", "async"], "--style must be 'generator' or 'async'")
    .default("generator"),
  crash: z.boolean().default(false),
  server: z
    .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
    .optional(),
  data: z
    .string()
    .min(1, "--data (NOTIFICATIONS_DATA) must name a folder")
    .default(fileURLToPath(new URL("../.resonate", import.meta.url))),
});

const HELP = `Usage: fan-out-notifications [flags]

Tells a customer about an order by email, SMS, Slack and push, all at once and each delivered once.
Kill it half-way and start it again with the same --order: it goes on where it was.

Flags, and the environment variables that do the same:
  --order ID                       the order (default: a new one)
  --style generator|async          which version of the function runs (default generator)
  --crash                          the push provider fails its first request
  --server URL  RESONATE_URL       a server (default: none, everything is kept in a file)
  --data DIR    NOTIFICATIONS_DATA where files are kept (default: .resonate in the app's folder)
  -h, --help                       print this
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
