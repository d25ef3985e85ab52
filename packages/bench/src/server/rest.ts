/** What a server costs that has nothing to do, and how soon it is there. */
import { setTimeout as sleep } from "node:timers/promises";
import { closedLoop } from "./load.ts";
import { creating } from "./requests.ts";
import { Server } from "./servers.ts";

/** Starts are measured so often; the median counts. */
const STARTS = 5;

export async function measureRest(idleMs: number) {
  const starts: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const begun = performance.now();
    const server = await Server.start("ours");
    const { status } = await fetch(`${server.url}/ready`);
    if (status !== 200) throw new Error(`not ready: ${status}`);
    starts.push(performance.now() - begun);
    await server.stop();
  }
  const server = await Server.start("ours");
  await closedLoop({ url: server.url, connections: 8, batch: 1, body: creating }, 5_000);
  await sleep(2_000); // What the load left behind is done.
  const [processorMs, calls] = [server.processorMs, server.systemCalls];
  await sleep(idleMs);
  const idleShare = (server.processorMs - processorMs) / idleMs;
  const callsPerSecond = ((server.systemCalls - calls) / idleMs) * 1_000;
  await server.stop();
  return {
    readyMs: starts.sort((one, other) => one - other)[STARTS >> 1] ?? 0,
    idleShare,
    callsPerSecond,
  };
}
