/** The port through which the server says what happens to it. */

/** Least to most severe. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is said goes out as fields first, then one sentence. Must not throw. */
export type Logger = {
  readonly [L in LogLevel]: (fields: Readonly<Record<string, unknown>>, message: string) => void;
};

/**
 * A logger that writes one JSON object per line, with `time` (ISO 8601), `level`, `message` and the fields.
 *
 * @param level the least severe level that is written.
 * @param write takes one line, its line feed included; default: standard error.
 */
export function jsonLogger(
  level: LogLevel,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const at = (own: LogLevel): Logger[LogLevel] => {
    if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) return () => {};
    return (fields, message) => {
      const time = new Date().toISOString();
      write(`${line({ time, level: own, message }, fields)}\n`);
    };
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function line(head: object, fields: object): string {
  try {
    return JSON.stringify({ ...head, ...fields }, plainError);
  } catch {
    // A log line must not be what makes a server fail: fields that JSON cannot hold are left out.
    return JSON.stringify(head);
  }
}

/** What JSON would lose of errors: what they are, and why. Their own fields (`code`, `errcode`) stay. */
function plainError(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { ...value, name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
