/** What a person can ask for and set: each setting by a flag or an environment variable; the flag wins. */
import { parseArgs } from "node:util";
import { z } from "zod";

/**
 * The largest n. A factorial is a chain of n calls that wait for each other, and each keeps its result (twice: as a step
 * and as a call), so the disk grows with the square of n: 5,000 calls take most of a minute and 100 MB.
 */
export const N_MAX = 5_000;

export interface Settings {
  /** From 0 to `N_MAX`. */
  readonly n: number;
  /** Where the server is. */
  readonly server: string;
  /** What the server knows us by, where it asks. */
  readonly token?: string | undefined;
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
      server: values.server ?? (env["RESONATE_URL"] || undefined),
      token: env["RESONATE_TOKEN"] || undefined,
    });
    return { kind: "run", settings };
  } catch (error) {
    return { kind: "wrong", line: `factorial-client: ${problem(error)}. ${USAGE}` };
  }
}

const FLAGS = {
  server: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const schema = z.object({
  n: z
    .string()
    .regex(/^\d{1,4}$/, {
      error: ({ input }) => (input === "" ? "n is missing" : `'${input}' is not such a number`),
    })
    .transform(Number)
    .refine((n) => n <= N_MAX, { error: ({ input }) => `${input} is too large` }),
  server: z
    .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
    .default("http://localhost:8001"),
  token: z.string().optional(),
});

const USAGE = `Usage: factorial-client N, a whole number from 0 to ${N_MAX}; --help says more.`;

const HELP = `Usage: factorial-client N [flags]

Prints N!, exact, computed by the workers of the group factorial-workers. N is a whole number from
0 to ${N_MAX}: it takes a chain of N calls that wait for each other, and each keeps its result.

Flags, and the environment variables that do the same:
  --server URL    RESONATE_URL    where the server is (default http://localhost:8001)
                  RESONATE_TOKEN  a token for it, where it asks for one
  -h, --help                      print this
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
