/** Processes that must not outlive this one. */
import type { ChildProcess } from "node:child_process";

/** Ends the process when this one exits before it. What was started is ended before other things are cleaned up. */
export function endWithUs(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  const end = () => void child.kill(signal);
  process.prependListener("exit", end);
  child.once("exit", () => process.off("exit", end));
}

/** Ends a process that somebody else has started, if it is still there. */
export function endById(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
