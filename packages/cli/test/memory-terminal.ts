/** A terminal that keeps what is written. */
import type { Terminal } from "../src/terminal.ts";

export interface MemoryTerminal extends Terminal {
  readonly errors: readonly string[];
  /** Resolves when a line of errors has matched. */
  said(pattern: RegExp): Promise<void>;
}

export function memoryTerminal({
  watched = false,
}: {
  readonly watched?: boolean;
} = {}): MemoryTerminal {
  const errors: string[] = [];
  let look: () => void = () => {};
  return {
    env: {},
    watched,
    errors,
    out() {},
    raw() {},
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
