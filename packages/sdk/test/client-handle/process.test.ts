/** What can only be seen on a whole process: that it ends by itself, and that it does not end too early. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../../src/index.ts", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "resonate-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs a program to its end. */
async function run(program: string): Promise<string> {
  const source = `import { Resonate } from ${JSON.stringify(entry)};\n${program}`;
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env.RESONATE_URL;
  const args = ["--import", "tsx", "--input-type=module", "--eval", source];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 20_000 });
  return stdout;
}

test("a program without a server ends by itself when its work is finished", async () => {
  const output = await run(`
    const resonate = new Resonate();
    resonate.register("greet", async (ctx, name) => {
      await ctx.sleep(5);
      return "Hello, " + name + await ctx.rpc("mark");
    });
    resonate.register("mark", () => "!");
    console.log(await resonate.run("greet-1", "greet", "World"));
  `);

  expect(output).toBe("Hello, World!\n");
});

test("a program does not end before what it began has ended", async () => {
  const output = await run(`
    const resonate = new Resonate();
    resonate.register("late", async (ctx) => {
      await ctx.sleep(50);
      console.log("done");
    });
    await resonate.beginRun("late-1", "late");
  `);

  expect(output).toBe("done\n");
});

test("a program that is started again on its file goes on where it was", async () => {
  const path = JSON.stringify(join(folder, "app.db"));
  const program = (ending: string) => `
    const resonate = new Resonate({ path: ${path} });
    resonate.register("workflow", async (ctx) => {
      const first = await ctx.run(() => { console.log("step"); return "first"; });
      return first + " " + await ctx.promise();
    });
    async function parked({ promises }) {
      while (!(await promises.get("w:1").catch(() => undefined))) await new Promise(setImmediate);
    }
    const handle = await resonate.beginRun("w", "workflow");
    ${ending}
  `;

  const first = await run(program("await parked(resonate); process.exit(0);"));
  const second = await run(
    program(
      `await resonate.promises.resolveValue("w:1", "second"); console.log(await handle.result());`,
    ),
  );

  expect([first, second]).toEqual(["step\n", "first second\n"]);
});

test("a stopped program ends, whatever it was doing", async () => {
  const output = await run(`
    const resonate = new Resonate();
    resonate.register("forever", () => new Promise(() => {}));
    await resonate.beginRun("w", "forever");
    await resonate.stop();
    console.log("stopped");
  `);

  expect(output).toBe("stopped\n");
});
