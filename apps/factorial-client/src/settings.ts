/** What a person can ask for and set: each setting by a flag or an environment variable; the flag wins. */
import { parseArgs } from "node:util";
import { z } from "zod";

/**
 * The largest n. A factorial is a chain of n calls that wait for each other, and each keeps its result, so the
 * disk grows with the square of n: 5,000 calls take most of a minute and 57 MB.
 */
export const N_MAX = 5_000;

/** The largest n where the range is split: 50000! has 213,237 digits, which one durable value still holds. */
export const SPLIT_N_MAX = 50_000;

export interface Settings {
  /** From 0 to `N_MAX`; split, from 1 to `SPLIT_N_MAX`. */
  readonly n: number;
  /** Multiply ranges, in halves that many workers compute at once. */
  readonly split: boolean;
  /** Where the server is. */
  readonly server: string;
  /** What the server knows us by, where it asks. */
  readonly token?: string | undefined;
  /** The answer as a line of JSON. */
  readonly json: boolean;
}

export type Asked =
  | { readonly kind: "run"; readonly settings: Settings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly line: string };

/** Reads the words after the program's name, and the environment. */
export function readSettings(words: readonly string[], env = process.env): Asked {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: FLAGS,
      allowPositionals: true,
    });
    if (values.help) return { kind: "help", text: HELP };
    const settings = schema.parse({
      n: positionals.join(" "),
      split: values.split,
      server: values.server ?? (env["RESONATE_URL"] || undefined),
      token: env["RESONATE_TOKEN"] || undefined,
      json: values.json,
    });
    return { kind: "run", settings };
  } catch (error) {
    return { kind: "wrong", line: `factorial-client: ${problem(error)}. ${USAGE}` };
  }
}

const FLAGS = {
  split: { type: "boolean" },
  server: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const schema = z
  .object({
    n: z
      .string()
      .regex(/^\d{1,5}$/, {
        abort: true,
        error: ({ input }) => (input === "" ? "n is missing" : `'${input}' is not such a number`),
      })
      .transform(Number),
    split: z.boolean().default(false),
    server: z
      .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
      .default("http://localhost:8001"),
    token: z.string().optional(),
    json: z.boolean().default(false),
  })
  .refine(({ n, split }) => n <= (split ? SPLIT_N_MAX : N_MAX), {
    error: "n is too large",
  })
  // An empty range has no halves; 0! is 1 all the same, and the chain says so.
  .transform((settings) => (settings.n === 0 ? { ...settings, split: false } : settings));

const USAGE = `Usage: factorial-client N, a whole number from 0 to ${N_MAX} (with --split to ${SPLIT_N_MAX}); --help says more.`;

const HELP = `Usage: factorial-client N [flags]

Prints N!, exact, computed by the workers of the group factorial-workers. N is a whole number from
0 to ${N_MAX}: it takes a chain of N calls that wait for each other, and each keeps its result.

With --split, N may be up to ${SPLIT_N_MAX}: ranges are multiplied in two halves, and those in two again, so that
all workers compute at once.

Flags, and the environment variables that do the same:
  --split                         multiply ranges by halves
  --server URL    RESONATE_URL    where the server is (default http://localhost:8001)
                  RESONATE_TOKEN  a token for it, where it asks for one
  --json                          print the answer as a line of JSON
  -h, --help                      print this
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
