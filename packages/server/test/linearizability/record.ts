import type { Random } from "../differential/random.ts";
import type { Operation } from "./history.ts";
import { HttpClient, type RealServer } from "./real-server.ts";
import { Workload } from "./workload.ts";

const CLIENTS = 8;
/** Operations of one client on one tree; the clients together make 80 of them. */
const OPERATIONS = 10;

/**
 * Clients that all work on one tree at once, each by one of the servers. With `kill` the first server dies, at some
 * moment, and comes back.
 */
export async function record(
  servers: readonly RealServer[],
  random: Random,
  origin: string,
  kill: boolean,
): Promise<Operation[]> {
  const workload = new Workload(random, origin);
  const history: Operation[] = [];
  const killAt = kill ? 5 + random.below(CLIENTS * OPERATIONS - 15) : Number.POSITIVE_INFINITY;
  let begun = 0;
  let restarted: Promise<void> | undefined;

  const work = async (client: number) => {
    const http = new HttpClient();
    const server = servers[client % servers.length];
    if (!server) throw new Error("no server");
    for (let count = 0; count < OPERATIONS; count++) {
      await server.ready;
      const asked = workload.next(`p${client}`);
      const call = performance.now();
      const answering = http.ask(server.url, asked.kind, asked.data, asked.preload);
      if (++begun === killAt) restarted = servers[0]?.restart();
      const answer = await answering;
      workload.learn(answer);
      history.push({
        client,
        ...asked,
        call,
        return: performance.now(),
        ...(answer && { answer }),
      });
    }
    http.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));
  await restarted;
  return history;
}
