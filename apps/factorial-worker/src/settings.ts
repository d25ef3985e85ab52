/** What a person can set: each by a flag or by an environment variable; the flag wins. */
import { parseArgs } from "node:util";
import { z } from "zod";

export interface Settings {
  /** Where the server is. */
  readonly server: string;
  /** What the server knows us by, where it asks. */
  readonly token?: string | undefined;
  /** What this worker calls itself in its output. */
  readonly name: string;
  /** How long each multiplication takes, in ms, on top of its own time. */
  readonly pauseMs: number;
  /** Events as lines of JSON. */
  readonly json: boolean;
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
      server: values.server ?? (env["RESONATE_URL"] || undefined),
      token: env["RESONATE_TOKEN"] || undefined,
      name: values.name ?? (env["FACTORIAL_WORKER_NAME"] || undefined),
      pauseMs: values["pause-ms"] ?? (env["FACTORIAL_PAUSE_MS"] || undefined),
      json: values.json,
    });
    return { kind: "run", settings };
  } catch (error) {
    return { kind: "wrong", line: `factorial-worker: ${problem(error)}. Try --help.` };
  }
}

const FLAGS = {
  server: { type: "string" },
  name: { type: "string" },
  "pause-ms": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const schema = z.object({
  server: z
    .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
    .default("http://localhost:8001"),
  token: z.string().optional(),
  name: z
    .string()
    .regex(/^[\w-]{1,32}$/, "--name must be 1 to 32 letters, digits, '-' or '_'")
    .default(`worker-${process.pid}`),
  pauseMs: z
    .string()
    .regex(/^\d{1,5}$/, "--pause-ms (FACTORIAL_PAUSE_MS) must be a whole number from 0 to 99999")
    .transform(Number)
    .default(0),
  json: z.boolean().default(false),
});

const HELP = `Usage: factorial-worker [flags]

Computes factorials for whoever asks, together with all other workers of the group
factorial-workers. Start as many as you like. Ctrl-C stops one; the others go on.

Flags, and the environment variables that do the same:
  --server URL    RESONATE_URL           where the server is (default http://localhost:8001)
                  RESONATE_TOKEN         a token for it, where it asks for one
  --name NAME     FACTORIAL_WORKER_NAME  what this worker is called (default worker-<process id>)
  --pause-ms N    FACTORIAL_PAUSE_MS     slow each multiplication down by N ms (default 0)
  --json                                 print events as lines of JSON
  -h, --help                             print this
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
