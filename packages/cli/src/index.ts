/** The `resonate` command, for programs that bring it along. */
export { run } from "./run.ts";
export { processTerminal, type Terminal } from "./terminal.ts";
