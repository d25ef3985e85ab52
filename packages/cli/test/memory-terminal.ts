/** A terminal that keeps what is written. */
import type { Terminal } from "../src/terminal.ts";

export interface MemoryTerminal extends Terminal {
  readonly errors: readonly string[];
  readonly outs: readonly string[];
  /** Help, as it came. */
  readonly raws: readonly string[];
  /** Resolves when a line of errors has matched. */
  said(pattern: RegExp): Promise<void>;
}

export function memoryTerminal({
  watched = false,
  env = {},
}: {
  readonly watched?: boolean;
  readonly env?: Terminal["env"];
} = {}): MemoryTerminal {
  const errors: string[] = [];
  const outs: string[] = [];
  const raws: string[] = [];
  let look: () => void = () => {};
  return {
    env,
    watched,
    errors,
    raws,
    outs,
    out(line) {
      outs.push(line);
    },
    raw(text) {
      raws.push(text);
    },
    err(line) {
      errors.push(line);
      look();
    },
    async said(pattern) {
      while (!errors.some((line) => pattern.test(line))) {
        await new Promise<void>((resolve) => {
          look = resolve;
        });
      }
    },
  };
}
