/** The port through which the server says what happens to it, and how that is written. */
import { createRequire } from "node:module";
import type pino from "pino";
import type { prettyFactory } from "pino-pretty";
import { withoutControls, withoutSecrets } from "./log-text.ts";

/** Least to most severe. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is said goes out as fields first, then one sentence. Must not throw. */
export type Logger = {
  readonly [L in LogLevel]: (fields: Readonly<Record<string, unknown>>, message: string) => void;
};

/** Takes one line, its line feed included. */
type Write = (line: string) => void;

const toStandardError: Write = (line) => process.stderr.write(line);

/**
 * A logger that writes one JSON object per line, with `time` (ISO 8601), `level`, `message` and the fields. Fields that are
 * named as secrets are, and what looks like a token or like a password in a URL, are not written.
 *
 * @param level the least severe level that is written.
 * @param write takes one line, its line feed included; default: standard error.
 */
export function jsonLogger(level: LogLevel, write: Write = toStandardError): Logger {
  return lazily(level, () => linesTo(level, (line) => write(withoutSecrets(line))));
}

/** As `jsonLogger`, for somebody who reads along: a line of text, and the fields below it. */
export function terminalLogger(
  level: LogLevel,
  write: Write = toStandardError,
  { colors = hasColors() }: { readonly colors?: boolean } = {},
): Logger {
  return lazily(level, () => {
    const pretty = prettier(colors);
    return linesTo(level, (line) => write(pretty(withoutControls(withoutSecrets(line)))));
  });
}

/** Knows what the environment says of colours. */
function hasColors(): boolean {
  return process.stderr.isTTY && process.stderr.hasColors();
}

const load = createRequire(import.meta.url);

/** Made for the first line: many programs never say one, and making it takes some hundredths of a second. */
function lazily(level: LogLevel, make: () => pino.Logger): Logger {
  let lines: pino.Logger | undefined;
  const at = (own: LogLevel): Logger[LogLevel] => {
    if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) return () => {};
    return (fields, message) => {
      lines ??= make();
      lines[own](fields, message);
    };
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Names of fields that are not written, whatever is in them. */
const SECRETS = ["token", "password", "authorization", "auth", "secret"];

function linesTo(level: LogLevel, write: Write): pino.Logger {
  const make: typeof pino = load("pino");
  return make(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: make.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
      serializers: { error: (error: unknown) => plainError(error) },
      redact: [...SECRETS, ...SECRETS.map((name) => `*.${name}`)],
    },
    { write },
  );
}

function prettier(colorize: boolean): ReturnType<typeof prettyFactory> {
  const pretty: { readonly prettyFactory: typeof prettyFactory } = load("pino-pretty");
  return pretty.prettyFactory({
    colorize,
    messageKey: "message",
    translateTime: "SYS:HH:MM:ss.l",
    errorLikeObjectKeys: ["error"],
  });
}

/** Causes of causes that are written. */
const CAUSES_MAX = 5;

/** What JSON would lose of errors: what they are, and why. Their own fields (`code`, `errcode`) stay. */
function plainError(value: unknown, causesMax = CAUSES_MAX): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  const shown = causesMax > 0 && cause !== undefined;
  return {
    ...value,
    name,
    message,
    stack,
    ...(shown && { cause: plainError(cause, causesMax - 1) }),
  };
}
