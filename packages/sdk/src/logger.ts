/** Where this package says what it does. */

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a logger must have. `pino` and most others fit as they are. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Writes one line of JSON per message of `level` or above: debug and info to stdout, warn and error to stderr. */
export function consoleLogger(level: LogLevel = "warn"): Logger {
  const least = LEVELS.indexOf(level);
  const writer = (own: LogLevel) => (LEVELS.indexOf(own) < least ? silent : lineWriter(own));
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}

/** Says nothing. */
export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

function silent(): void {}

function lineWriter(level: LogLevel): Logger[LogLevel] {
  return (fields, message) => {
    const stream = level === "debug" || level === "info" ? process.stdout : process.stderr;
    stream.write(`${line(level, fields, message)}\n`);
  };
}

function line(level: LogLevel, fields: object, message: string): string {
  const entry = { level, time: new Date().toISOString(), message, ...fields };
  try {
    return JSON.stringify(entry, plain);
  } catch {
    // A log line must not be what makes a program fail: fields with a cycle are left out.
    return JSON.stringify({ level, time: entry.time, message });
  }
}

/** What JSON would lose or refuse: errors show what they are, with their causes. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { ...value, name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
