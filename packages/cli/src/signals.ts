/** How a process that runs until it is told to stop hears of it. */

/**
 * Resolves at the first SIGINT or SIGTERM. A second one ends the process at once, with exit code 1: whoever sends it
 * does not want to wait for what the first one started.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const hear = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve(signal);
    };
    process.on("SIGINT", hear);
    process.on("SIGTERM", hear);
  });
}

/**
 * Does `work` when the process is told to stop, and lets it end then as it would without. The returned function forgets
 * it.
 */
export function beforeSignal(work: () => void): () => void {
  const hear = (signal: NodeJS.Signals) => {
    forget();
    work();
    process.kill(process.pid, signal);
  };
  const forget = () => {
    process.off("SIGINT", hear);
    process.off("SIGTERM", hear);
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return forget;
}
