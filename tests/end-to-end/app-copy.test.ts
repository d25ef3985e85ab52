/**
 * Every app, copied out of the repository into an empty folder: it installs, type-checks, tests and runs there.
 * `APP_TESTS=all` is the long run.
 */
import { execFile, spawn } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify, stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyApp, type Packed } from "../../scripts/app-copy/copy-app.ts";
import { packOurs } from "../../scripts/app-copy/pack.ts";
import { ROOT } from "../../scripts/app-copy/places.ts";

/** Each app, and the file of its tests that is run in the copy too: the repository has run all of them as its own. */
const APPS = [
  ["crawler", "crawl.test.ts"],
  ["factorial-client", "ask.test.ts"],
  ["factorial-worker", "factorial.test.ts"],
  ["fan-out-notifications", "notify.test.ts"],
] as const;
/** With `APP_TESTS=all` the copies run all tests that they have. */
const ALL_TESTS = process.env["APP_TESTS"] === "all";
/** Real installations and tests, on a machine that may be busy. In ms. */
const PATIENCE_MS = 300_000;

const run = promisify(execFile);
let folder: string;
let packed: Packed;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-copies-"));
  const packages = join(folder, "packed");
  packed = { folder: packages, tarballs: packOurs(packages) };
}, PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The environment of a person's own shell: nothing of the pnpm that runs these tests. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(npm_(?!config_(?:registry|cache|cafile|.*proxy))|PNPM_|INIT_CWD|RESONATE_|VITEST|NODE_)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** Runs a command in a copy, and gives what it printed. */
async function inCopy(cwd: string, file: string, args: readonly string[]): Promise<string> {
  const path = `${join(cwd, "node_modules", ".bin")}:${process.env["PATH"]}`;
  const env = { ...ownEnvironment(), PATH: path, NO_COLOR: "1" };
  try {
    return (await run(file, [...args], { cwd, env, maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = Object(error);
    throw new Error(`${file} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

const PNPM = join(ROOT, "node_modules", ".bin", "pnpm");

async function install(cwd: string): Promise<void> {
  await inCopy(cwd, PNPM, ["install", "--prefer-offline"]);
}

function copyOf(app: string): string {
  return join(folder, `my-${app}`);
}

/** What there is to read in a copy in which something is said. */
function filesThatSay(pattern: RegExp, target: string): string[] {
  return globSync(["README.md", "{src,test}/**/*.ts"], { cwd: target }).filter((file) =>
    pattern.test(readFileSync(join(target, file), "utf8")),
  );
}

describe.each(APPS)("%s", (app, file) => {
  test("copied out, it installs, type-checks, passes its tests and says what it can do", {
    timeout: PATIENCE_MS,
  }, async () => {
    const target = copyOf(app);
    copyApp(app, target, packed);
    const manifest = readFileSync(join(target, "package.json"), "utf8");
    expect(manifest).not.toContain("workspace:");
    expect(JSON.parse(manifest).name).toBe(`my-${app}`);
    expect(readFileSync(join(target, "tsconfig.json"), "utf8")).not.toContain("extends");
    // These are for the repository: its commands, its other folders.
    expect(filesThatSay(/pnpm (?:resonate|--filter) |\]\(\.\.\//, target)).toEqual([]);

    await install(target);
    await inCopy(target, "npm", ["run", "types"]);
    await inCopy(target, "npm", ALL_TESTS ? ["test"] : ["test", "--", `test/${file}`]);

    const start = (...args: string[]) =>
      inCopy(target, "npm", ["--silent", "start", "--", ...args]);
    expect(await start("--help")).toMatch(/^Usage: /);
    expect((await inCopy(target, "node", ["--version"])).trim()).toBe("v24.21.0");
  });
});

test("a client that is copied out says where its workers are", () => {
  const target = join(folder, "only-client");
  copyApp("factorial-client", target, packed);
  const told = readFileSync(join(target, "src", "main.ts"), "utf8");
  expect(told).toContain("is a worker running? (in your copy of factorial-worker) npm start --");
});

test("what is packed has the entries of its sources, and nothing left from an earlier build", {
  timeout: PATIENCE_MS,
}, async () => {
  const stale = join(ROOT, "packages", "protocol", "dist", "stale.js");
  writeFileSync(stale, "");
  const again = join(folder, "packed-again");
  const tarballs = packOurs(again, ["protocol", "sdk"]);
  const files = async (name: string) =>
    (await inCopy(again, "tar", ["-tzf", tarballs.get(name) ?? ""])).split("\n");
  expect(await files("@resonate-ts/protocol")).not.toContain("package/dist/stale.js");
  const sdk = await files("@resonate-ts/sdk");
  expect(sdk).toContain("package/dist/index.js");
  expect(sdk).toContain("package/dist/async.js");
  for (const [file, name] of [
    ["packages/sdk", "@resonate-ts/sdk"],
    ["packages/server", "@resonate-ts/server"],
    ["packages/testing", "@resonate-ts/testing"],
  ] as const) {
    const { exports, publishConfig } = JSON.parse(
      readFileSync(join(ROOT, file, "package.json"), "utf8"),
    );
    expect(Object.keys(publishConfig.exports), name).toEqual(Object.keys(exports));
  }
});

test("npm installs a copy too", { timeout: PATIENCE_MS }, async () => {
  const target = join(folder, "by-npm");
  copyApp("factorial-client", target, packed);
  await inCopy(target, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"]);
  await inCopy(target, "npm", ["run", "types"]);
  expect(await inCopy(target, "npx", ["resonate", "--version"])).toMatch(/^\d+\.\d+\.\d+/);
});

test("a folder copied inside apps/ under another name is an app of its own", {
  timeout: PATIENCE_MS,
}, async () => {
  // A repository of its own, so that nobody else sees the new folder.
  const root = join(folder, "repository");
  const tooling = ["node_modules", "dist", ".resonate"];
  for (const part of [
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "tsconfig.base.json",
    "packages",
  ]) {
    const filter = (path: string) => !tooling.some((name) => path.endsWith(`/${name}`));
    cpSync(join(ROOT, part), join(root, part), { recursive: true, filter });
  }
  const own = join(root, "apps", "my-own");
  const made = (path: string) => !/\/(?:node_modules|\.resonate)$/.test(path);
  cpSync(join(ROOT, "apps", "crawler"), own, { recursive: true, filter: made });
  const manifest = readFileSync(join(own, "package.json"), "utf8");
  writeFileSync(
    join(own, "package.json"),
    manifest.replace('"name": "crawler"', '"name": "my-own"'),
  );

  await inCopy(root, PNPM, ["install", "--prefer-offline", "--no-frozen-lockfile"]);
  await inCopy(root, PNPM, ["--filter", "my-own", "types"]);
  const printed = await inCopy(root, PNPM, ["--filter", "my-own", "start", "--run", "own"]);
  expect(printed).toContain("17 URLs down to depth 3. Pages: 14, redirects: 1, not to be had: 1.");
});

describe("what the READMEs say one sees", () => {
  test("crawler", { timeout: PATIENCE_MS }, async () => {
    const [block = []] = blocksOf("crawler");
    const [command = "", ...expected] = block;
    const words = command.replace("$ pnpm --filter crawler start ", "").split(" ");
    const target = copyOf("crawler");

    const printed = await inCopy(target, "npm", ["--silent", "start", "--", ...words]);

    expect(masked(printed.replaceAll(`${target}/`, "").trim().split("\n"))).toEqual(
      masked(expected),
    );
  });

  test("factorial-worker and factorial-client", { timeout: PATIENCE_MS }, async () => {
    const server = started(copyOf("factorial-worker"), "node_modules/.bin/resonate", [
      ...["dev", "--memory", "--server-port", "0"],
    ]);
    const workers: Started[] = [];
    try {
      const url = /http:\S+/.exec(await server.line(/listens on/))?.[0] ?? "";
      const main = ["node_modules/.bin/tsx", "src/main.ts", "--server", url];
      for (const name of ["ada", "bob", "cyd"]) {
        const worker = started(copyOf("factorial-worker"), process.execPath, [
          ...["--import", "tsx", ...main.slice(1)],
          ...["--name", name, "--pause-ms", "50"],
        ]);
        workers.push(worker);
        await worker.line(/serves group/);
      }
      const ask = async (...words: string[]) =>
        (
          await inCopy(copyOf("factorial-client"), "npm", [
            "--silent",
            "start",
            "--",
            ...words,
            "--server",
            url,
          ])
        )
          .trim()
          .split("\n");

      const [seen = [], questions = []] = blocksOf("factorial-worker");
      const asked = [...(await ask("8")), ...(await ask("8")), ...(await ask("5"))];
      expect(masked(asked)).toEqual(masked(questions));
      // Who computed what differs from run to run.
      const anybody = (lines: readonly string[]) =>
        masked(
          lines.filter((line) => line !== "").map((line) => line.replace(/^\[\w+\]/, "[…]")),
        ).toSorted();
      expect(anybody(workers.flatMap(({ lines }) => lines))).toEqual(anybody(seen));

      const [first = [], second = [], wrong = [], split = []] = blocksOf("factorial-client");
      expect(masked(await ask("20"))).toEqual(masked(first));
      expect(masked(await ask("20"))).toEqual(masked(second));
      expect(masked(await ask("20", "--split"))).toEqual(masked(split));
      await expect(ask("1.5")).rejects.toThrow(wrong[0]);
    } finally {
      for (const one of [...workers, server]) await one.stop();
    }
  });
});

/** The lines of the blocks of what one sees. */
function blocksOf(app: string): string[][] {
  const readme = readFileSync(join(ROOT, "apps", app, "README.md"), "utf8");
  const section = readme.split(/^## /m).find((part) => part.startsWith("What you see")) ?? "";
  return [...section.matchAll(/^```\n([\s\S]*?)\n```$/gm)].map(([, block = ""]) =>
    block.split("\n"),
  );
}

/** Lines without what differs from run to run: times, process ids, addresses. */
function masked(lines: readonly string[]): string[] {
  return lines.map((line) =>
    stripVTControlCharacters(line)
      .replace(/ +\d+ ms/g, " N ms")
      .replace(/^\d+ ms/, "N ms")
      .replace(/process \d+/, "process N")
      .replace(/http:\/\/(?:localhost|127\.0\.0\.1):\d+/, "URL"),
  );
}

interface Started {
  readonly lines: readonly string[];
  /** The first line that matches, printed already or yet to come; rejects when it ends without. */
  line(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

function started(cwd: string, file: string, args: readonly string[]): Started {
  const env = { ...ownEnvironment(), NO_COLOR: "1" };
  const child = spawn(file, [...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const watchers = new Set<(line: string) => void>();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      for (const watch of watchers) watch(line);
    });
  }
  return {
    lines,
    line(pattern) {
      const printed = lines.find((line) => pattern.test(line));
      if (printed !== undefined) return Promise.resolve(printed);
      return new Promise((resolve, reject) => {
        watchers.add((line) => pattern.test(line) && resolve(line));
        void ended.then(() => reject(new Error(`${file} ended: ${lines.join("\n")}`)));
      });
    },
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}
