import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openEngine } from "../../src/open.ts";
import { StoreInUseError } from "../../src/stores/store.ts";

const WRITER = fileURLToPath(new URL("acknowledging-writer.ts", import.meta.url));
const ROUNDS = 20;
/** A writer is killed after a random number of acknowledged writes up to this. */
const WRITES_MAX = 400;

let folder: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-crash-"));
  path = join(folder, "resonate.db");
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  rmSync(folder, { recursive: true });
});

test("after kill -9 at any moment every acknowledged write is there, and the file is sound", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const lines = await writeUntilKilled(
      `round${round}`,
      1 + Math.floor(Math.random() * WRITES_MAX),
    );

    const lost = await unmet(lines);

    expect({ round, lost }).toEqual({ round, lost: [] });
    expect(integrity()).toBe("ok");
  }
}, 60_000);

test("a file that another process has open is refused, naming the process; its death frees it", async () => {
  const { child } = await startWriter("held");

  await expect(openEngine({ path })).rejects.toThrow(StoreInUseError);
  await expect(openEngine({ path })).rejects.toThrow(`process ${child.pid}`);
  await kill(child);

  const engine = await openEngine({ path });
  expect(readFileSync(`${path}.pid`, "utf8").trim()).toBe(String(process.pid));
  await engine.close();
});

test("a file that this process has open is refused too, until it is closed", async () => {
  const engine = await openEngine({ path });

  await expect(openEngine({ path })).rejects.toThrow(`process ${process.pid}`);
  await engine.close();

  await (await openEngine({ path })).close();
});

async function startWriter(prefix: string) {
  const child = spawn(process.execPath, [WRITER, path, prefix], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("open");
  return { child, lines };
}

/** What a writer said it had written before it was killed. */
async function writeUntilKilled(prefix: string, writes: number): Promise<string[]> {
  const { child, lines } = await startWriter(prefix);
  const said: string[] = [];
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    said.push(line.value);
    if (said.length === writes) child.kill("SIGKILL");
  }
  await kill(child);
  // The last line may be cut off.
  return said.filter((line) => /^(created|settled) round\d+-\d+$/.test(line)).slice(0, -1);
}

/** Of what was said, that which is not so. */
async function unmet(lines: readonly string[]): Promise<string[]> {
  const engine = await openEngine({ path });
  const head = { corrId: "c", version: PROTOCOL_VERSION };
  const answers = await engine.process(
    lines.map((line) => ({ kind: "promise.get", head, data: { id: line.split(" ")[1] ?? "" } })),
  );
  await engine.close();
  return lines.filter((line, at) => {
    const [what, id] = line.split(" ");
    const data = answers[at]?.data;
    if (typeof data !== "object" || !("promise" in data)) return true;
    const { param, state, value } = data.promise;
    const settled = state === "resolved" && value.data === `value of ${id}`;
    return param.data !== id || (what === "settled" && !settled);
  });
}

function integrity(): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  } finally {
    db.close();
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
