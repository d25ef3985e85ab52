import type { Logger } from "../../src/logger.ts";

/** Keeps what is said to it. */
export class RecordingLogger implements Logger {
  readonly errors: string[] = [];
  debug = () => {};
  info = () => {};
  warn = () => {};
  error = (_fields: Readonly<Record<string, unknown>>, message: string) => {
    this.errors.push(message);
  };
}
