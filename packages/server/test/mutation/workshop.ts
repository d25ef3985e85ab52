/** A copy of the sources, in which one mutant at a time takes the place of what is right, and tests are run. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const COPIED = [
  "packages/protocol",
  "packages/server",
  // The server asks it where the page is.
  "packages/dashboard",
  "package.json",
  "tsconfig.base.json",
];
/** What packing makes, in another test perhaps at this moment. */
const MADE = ["dist"];
/** A mutant that makes the tests run for ever is found too. In ms. */
const RUN_MS_MAX = 120_000;
const DIFFERENTIAL = "packages/server/test/differential/differential.test.ts";
const QUESTIONS = "packages/server/test/properties/questions.test.ts";
/** Enough operations for every mutant of the list; the seed makes it the same ones each time. */
const ENVIRONMENT = { SEED: "7", OPERATIONS: "6000", SHRINK: "no" };

export type Verdict = "red" | "green";

export class Workshop {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), "resonate-mutants-"));
    await mkdir(join(folder, "packages"));
    for (const path of COPIED) {
      const filter = (from: string) => !MADE.includes(basename(from));
      const how = { recursive: true, verbatimSymlinks: true, filter };
      await cp(join(ROOT, path), join(folder, path), how);
    }
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const test = {
      globalSetup: ["packages/server/test/support/postgres-setup.ts"],
      include: ["packages/*/test/**/*.test.ts"],
    };
    const config = `export default ${JSON.stringify({ test })};\n`;
    await writeFile(join(folder, "vitest.config.ts"), config);
    return new Workshop(folder);
  }

  /** What the tests say of the sources as they are: all that these mutants are shown to. */
  async untouched(mutants: readonly Mutant[]): Promise<Verdict> {
    const verdicts = [await this.#run(DIFFERENTIAL, "sqlite"), await this.#run(QUESTIONS)];
    const others = new Set(mutants.flatMap(({ tests }) => tests ?? []));
    for (const tests of others) verdicts.push(await this.#run(tests));
    return verdicts.includes("red") ? "red" : "green";
  }

  /** What the tests say of the mutant; the sources are as before afterwards. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const path = join(this.#folder, mutant.file);
    const source = await readFile(path, "utf8");
    await writeFile(path, mutated(source, mutant));
    const { question, tests } = mutant;
    try {
      if (question !== undefined) return await this.#run(QUESTIONS, `${question}: `);
      return await (tests === undefined ? this.#run(DIFFERENTIAL, "sqlite") : this.#run(tests));
    } finally {
      await writeFile(path, source);
    }
  }

  close(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }

  /** Red when a test failed; that none ran is an error. */
  async #run(file: string, name?: string): Promise<Verdict> {
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    const named = name === undefined ? [] : ["-t", name];
    const report = join(this.#folder, "report.json");
    const output = ["--reporter=json", `--outputFile=${report}`];
    await rm(report, { force: true });
    const args = [vitest, "run", file, ...named, ...output, "--bail=1"];
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      env: { ...process.env, ...ENVIRONMENT },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
    await once(child, "close");
    clearTimeout(timer);
    if (child.signalCode === "SIGKILL") return "red";
    const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(
      await readFile(report, "utf8"),
    );
    if (passed + failed === 0) throw new Error(`no test ran in ${file}`);
    return failed > 0 ? "red" : "green";
  }
}

/** @throws Error when the place is not there, or not once: the list is older than the sources. */
export function mutated(source: string, { name, file, find, replace }: Mutant): string {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`'${name}': ${file} has ${places} places with ${find}`);
  return source.replace(find, () => replace);
}
