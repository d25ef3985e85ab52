/** Work that ends every process that takes it is stopped, so that the processes can do other work. */
import { afterEach, expect, test } from "vitest";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

afterEach(stopPrograms);

const CLI = "packages/cli/src/main.ts";

/** A command, and what it printed. */
async function resonate(url: string, ...args: readonly string[]): Promise<string> {
  const command = new Program({ entry: CLI, args, env: { RESONATE_URL: url } });
  await command.success();
  return command.lines.map(({ text }) => text).join("\n");
}

function startWorker(url: string, ...args: readonly string[]): Program {
  const entry = "tests/end-to-end/quarantine-worker.ts";
  return new Program({ entry, args, env: { RESONATE_URL: url } });
}

/** Starts a worker again whenever it ends by itself, until one says that the task is halted. */
async function superviseUntilHalted(url: string) {
  for (let deaths = 0; ; deaths++) {
    const worker = startWorker(url);
    // Without that line it has ended, which is looked at below.
    const halted = worker.line(/'poison-1' is halted/).catch(() => undefined);
    const said = await Promise.race([halted, worker.exited]);
    if (typeof said === "object") return { worker, deaths, line: said.text };
    expect(await worker.exited).toBe(1);
  }
}

test("a task that ends five processes is halted with its cause, and done once it is mended and continued", async () => {
  const server = new Program({ entry: CLI, args: ["dev", "--memory", "--server-port", "0"] });
  const url = /http:\S+/.exec((await server.line(/listens on/)).text)?.[0] ?? "";
  const to = ["--target", "quarantine"];
  await resonate(url, "invoke", "honest-1", "-f", "honest", "--arg", "30", ...to);
  await resonate(url, "invoke", "poison-1", "-f", "poison", ...to);

  const { worker, deaths, line } = await superviseUntilHalted(url);

  expect(deaths).toBe(5);
  expect(line).toContain("'resonate tasks continue poison-1'");
  const task = JSON.parse(await resonate(url, "tasks", "get", "poison-1", "--json"));
  expect(task).toMatchObject({ state: "halted", failures: 5 });
  expect(task.cause).toContain("The processes that ran it were lost");
  const wait = ["--timeout", "1h", "--wait"];
  const honest = ["invoke", "honest-1", "-f", "honest", "--arg", "30", ...to, ...wait];
  expect(await resonate(url, ...honest)).toMatch(/\n30$|^30\n/);
  expect(await worker.stop()).toBe(0);

  const mended = startWorker(url, "--mended");
  const offered = await resonate(url, "tasks", "continue", "poison-1");
  const poison = await resonate(url, "invoke", "poison-1", "-f", "poison", ...to, ...wait);

  expect(offered).toBe("poison-1 is offered to workers again.");
  expect(poison).toContain("billed");
  expect(await mended.stop()).toBe(0);
}, 120_000);
