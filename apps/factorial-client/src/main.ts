/** The process: asks once, prints the answer. */
import { Resonate } from "@resonate-ts/sdk";
import { type Answer, ask, callId } from "./ask.ts";
import { readSettings, type Settings } from "./settings.ts";
import { whenNobodyTakes } from "./taken.ts";
import { waitForServer } from "./wait-for-server.ts";

const asked = readSettings(process.argv.slice(2));
switch (asked.kind) {
  case "run":
    await run(asked.settings).catch(fail);
    break;
  case "help":
    process.stdout.write(asked.text);
    break;
  case "wrong":
    process.stderr.write(`${asked.line}\n`);
    process.exitCode = 2;
}

async function run({ n, split, server, token, json }: Settings): Promise<void> {
  endQuietly();
  const question = { n, split };
  await waitForServer(server, () => {
    process.stderr.write(
      `No Resonate server answers at ${server}. Start one with "pnpm resonate dev"; waiting for it.\n`,
    );
  });
  const resonate = new Resonate({
    url: server,
    ...(token && { token }),
    group: "factorial-client",
  });
  const answered = new AbortController();
  void whenNobodyTakes({ server, token, id: callId(question) }, answered.signal, () => {
    process.stderr.write(
      "Nobody has taken it yet: is a worker running? pnpm --filter factorial-worker start\n",
    );
  });
  const answer = await ask(resonate, question);
  answered.abort();
  await resonate.stop();
  process.stdout.write(json ? jsonOf(n, answer) : linesOf(n, answer));
}

function jsonOf(n: number, { value, ms, cached }: Answer): string {
  return `${JSON.stringify({ event: "answer", n, value: String(value), ms: Math.round(ms), cached })}\n`;
}

function linesOf(n: number, { value, ms, cached }: Answer): string {
  const how = cached
    ? "from the cache: it was computed before"
    : "computed now; asked again, it comes from the cache";
  return `factorial(${n}) = ${value}\n${ms.toFixed(0)} ms, ${how}\n`;
}

/**
 * Stops asking at Ctrl-C, and when nobody reads the answer any more, as after `| head`. What was asked for is computed
 * all the same, and the next question finds it.
 */
function endQuietly(): void {
  process.on("SIGINT", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
  }
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`factorial-client: ${message}\n`);
  process.exit(1);
}
