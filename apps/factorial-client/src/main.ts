/** The process: asks once, prints the answer. */
import { Resonate } from "@resonate-ts/sdk";
import { type Answer, ask } from "./ask.ts";
import { readSettings, type Settings } from "./settings.ts";
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

async function run({ n, server }: Settings): Promise<void> {
  stopOnSignal();
  await waitForServer(server, () => {
    process.stderr.write(
      `No Resonate server answers at ${server}. Start one with "pnpm resonate dev"; waiting for it.\n`,
    );
  });
  const resonate = new Resonate({ url: server, group: "factorial-client" });
  const answer = await ask(resonate, n);
  await resonate.stop();
  print(n, answer);
}

function print(n: number, { value, ms, cached }: Answer): void {
  process.stdout.write(`factorial(${n}) = ${value}\n`);
  const how = cached
    ? "from the cache: it was computed before"
    : "computed now; asked again, it comes from the cache";
  process.stdout.write(`${ms.toFixed(0)} ms, ${how}\n`);
}

/** Stops asking. What was asked for is computed all the same, and the next question finds it. */
function stopOnSignal(): void {
  process.on("SIGINT", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`factorial-client: ${message}\n`);
  process.exit(1);
}
