/** How a command ends. */
import { PortInUseError } from "@resonate-ts/server";
import { CommanderError } from "commander";

/**
 * 0: done. 1: it could not be done now (no server there, refused, rejected, port taken). 2: it cannot be done as it
 * was asked (wrong input, a setting that is not allowed, a file that another process holds or that is not ours).
 */
export type ExitCode = 0 | 1 | 2;

/** Ends the command with one line. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What was asked cannot be done by anybody. */
export function wrongInput(message: string): Failure {
  return new Failure(message, 2);
}

export interface Ending {
  readonly exitCode: ExitCode;
  /** Absent when everything has been said. */
  readonly line?: string;
}

/** Errors of the server's package that mean exit code 2. */
const UNUSABLE = new Set(["SettingsError", "StoreInUseError", "StoreUnusableError"]);

/** How a command ends that threw `error`. */
export function endingOf(error: unknown): Ending {
  // Commander has written its own line.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2 };
  if (!(error instanceof Error)) return { exitCode: 1, line: `Error: ${String(error)}` };
  if (error instanceof PortInUseError) return { exitCode: 1, line: portInUse(error) };
  const exitCode = error instanceof Failure ? error.exitCode : UNUSABLE.has(error.name) ? 2 : 1;
  return { exitCode, line: `Error: ${error.message}` };
}

function portInUse({ message, port }: PortInUseError): string {
  return (
    `Error: ${message}. Stop that one, or take another port: ` +
    `--server-port ${port === 65_535 ? 8001 : port + 1} (0: any free one)`
  );
}
