/**
 * Who may import whom. The table is the architecture: a new row or a new entry in one is a decision, to be made
 * here and explained.
 */
import { expect, test } from "vitest";
import {
  find,
  type Import,
  importsIn,
  importsOf,
  read,
  type Workspace,
  workspaces,
} from "./sources.ts";

interface Rule {
  /** Files that the rule is for: those whose path starts so, and that no earlier rule is for. */
  readonly files: string;
  /** What they may import: paths from the root that start so, or names of packages and `node:`. */
  readonly may: readonly string[];
  /** What they may import only when it is needed. */
  readonly lazily?: readonly string[];
  readonly because: string;
}

const PROTOCOL = "@resonate-ts/protocol";
const PARSE = "@resonate-ts/protocol/parse";
const SERVER = "packages/server/src/";
const SDK = "packages/sdk/src/";

const RULES: readonly Rule[] = [
  {
    files: "packages/protocol/src/",
    may: ["packages/protocol/src/", "zod"],
    because:
      "the wire is shared by all, browsers included: it knows nothing of ours and nothing of Node",
  },
  {
    files: `${SERVER}core/`,
    may: [`${SERVER}core/`, PROTOCOL, "croner"],
    because: "the rules are pure: no I/O, no clock, no store, no HTTP",
  },
  {
    files: `${SERVER}engine/`,
    may: [
      `${SERVER}engine/`,
      `${SERVER}core/`,
      `${SERVER}stores/store.ts`,
      `${SERVER}stores/insight.ts`,
      `${SERVER}transports/router.ts`,
      `${SERVER}logger.ts`,
      PROTOCOL,
    ],
    because:
      "the engine performs steps through ports; which store or transport it is must not matter",
  },
  {
    files: `${SERVER}stores/store.ts`,
    may: [`${SERVER}stores/insight.ts`, `${SERVER}core/records.ts`, `${SERVER}core/step.ts`],
    because: "the port of the stores speaks of records only",
  },
  {
    files: `${SERVER}stores/insight.ts`,
    may: [`${SERVER}core/records.ts`, PROTOCOL],
    because: "what is looked at is records too",
  },
  {
    files: `${SERVER}stores/outline-rows.ts`,
    may: [`${SERVER}stores/insight.ts`, `${SERVER}stores/rows.ts`, PROTOCOL],
    because: "stores that keep rows show them alike",
  },
  {
    files: `${SERVER}stores/row-insight.ts`,
    may: ["insight.ts", "outline-rows.ts", "rows.ts"].map((file) => `${SERVER}stores/${file}`),
    because: "stores that keep rows are asked alike",
  },
  {
    files: `${SERVER}stores/search.ts`,
    may: [
      `${SERVER}stores/store.ts`,
      `${SERVER}core/records.ts`,
      `${SERVER}core/step.ts`,
      // A search filters by states as of now; the rule that says which they are has one home.
      `${SERVER}core/project.ts`,
      `${SERVER}core/weigh.ts`,
      PROTOCOL,
    ],
    because: "all stores search alike",
  },
  {
    files: `${SERVER}stores/rows.ts`,
    may: [
      `${SERVER}stores/store.ts`,
      `${SERVER}stores/search.ts`,
      `${SERVER}core/records.ts`,
      PROTOCOL,
      "node:",
    ],
    because: "stores that keep rows spell records alike, and check them alike",
  },
  ...["memory", "sqlite", "postgres"].map((kind) => ({
    files: `${SERVER}stores/${kind}/`,
    may: [
      `${SERVER}stores/${kind}/`,
      `${SERVER}stores/store.ts`,
      `${SERVER}stores/search.ts`,
      `${SERVER}stores/insight.ts`,
      `${SERVER}core/records.ts`,
      `${SERVER}core/step.ts`,
      `${SERVER}core/weigh.ts`,
      PROTOCOL,
      ...(kind === "memory"
        ? []
        : ["node:", `${SERVER}stores/rows.ts`, `${SERVER}stores/row-insight.ts`]),
      ...(kind === "postgres" ? ["pg"] : []),
    ],
    because: "a store knows records, not rules",
  })),
  {
    files: `${SERVER}dashboard/`,
    may: [
      `${SERVER}dashboard/`,
      `${SERVER}core/`,
      `${SERVER}engine/engine.ts`,
      `${SERVER}engine/inside.ts`,
      `${SERVER}engine/census.ts`,
      `${SERVER}stores/insight.ts`,
      PROTOCOL,
      "node:",
    ],
    because: "those who look on read through the engine's face, and change nothing",
  },
  {
    files: `${SERVER}http/`,
    may: [
      `${SERVER}http/`,
      `${SERVER}dashboard/`,
      `${SERVER}transports/`,
      `${SERVER}engine/engine.ts`,
      `${SERVER}engine/inside.ts`,
      `${SERVER}engine/census.ts`,
      `${SERVER}logger.ts`,
      `${SERVER}settings.ts`,
      PROTOCOL,
      PARSE,
      "node:",
      "zod",
      "jose",
      "prom-client",
    ],
    because: "HTTP speaks with the engine through its face, and with no store",
  },
  {
    files: `${SERVER}transports/`,
    may: [
      `${SERVER}transports/`,
      `${SERVER}engine/engine.ts`,
      `${SERVER}logger.ts`,
      PROTOCOL,
      "node:",
      "undici",
      "ipaddr.js",
    ],
    because: "transports carry messages, and know no rules and no store",
  },
  {
    files: `${SERVER}tracing.ts`,
    may: [
      SERVER,
      PARSE,
      "@opentelemetry/api",
      "@opentelemetry/sdk-trace-node",
      "@opentelemetry/exporter-trace-otlp-http",
    ],
    because: "one file knows how spans are made and sent, and it is loaded where they are wanted",
  },
  {
    files: SERVER,
    may: [
      SERVER,
      PROTOCOL,
      "@resonate-ts/dashboard",
      "node:",
      "zod",
      "smol-toml",
      "pino",
      "pino-pretty",
    ],
    because:
      "these files put the server together; other packages of ours depend on it, not the other way round",
  },
  {
    files: `${SDK}core/`,
    may: [
      `${SDK}core/`,
      `${SDK}journal/journal.ts`,
      `${SDK}journal/outcome.ts`,
      `${SDK}codec/codec.ts`,
      `${SDK}context.ts`,
      `${SDK}eager-context.ts`,
      `${SDK}errors.ts`,
      `${SDK}future.ts`,
      `${SDK}logger.ts`,
      `${SDK}options.ts`,
      `${SDK}registry.ts`,
      `${SDK}retry.ts`,
      `${SDK}tracing.ts`,
      PROTOCOL,
    ],
    because: "executions run against the journal's port: no Node, no network, no worker",
  },
  {
    files: `${SDK}network/embedded`,
    may: [`${SDK}network/`, SDK, PROTOCOL, "node:"],
    lazily: ["@resonate-ts/server", "@resonate-ts/protocol/parse"],
    because: "only embedded mode needs the server, and loads it when it is used",
  },
  {
    files: SDK,
    may: [
      SDK,
      PROTOCOL,
      "node:",
      "undici",
      "eventsource-parser",
      "devalue",
      "@opentelemetry/api",
      "@standard-schema/spec",
    ],
    because: "users import the SDK: it must stay light and know nothing of servers and tools",
  },
  {
    files: "packages/dashboard/src/",
    may: [
      "packages/dashboard/src/",
      PROTOCOL,
      "react",
      "react-dom/",
      "wouter",
      "wouter/use-browser-location",
      "@tanstack/react-virtual",
      "d3-hierarchy",
      "uplot",
      "uplot/dist/",
      "eventsource-parser",
    ],
    because:
      "the page runs in browsers and speaks HTTP with the server; it knows nothing else of it",
  },
  {
    files: "packages/cli/src/mcp/",
    may: ["packages/cli/src/", "@modelcontextprotocol/sdk/", PROTOCOL, "node:", "zod"],
    because: "what serves models is a part of its own, with a library that no other command loads",
  },
  ...["cli", "testing", "bench"].map((name) => ({
    files: `packages/${name}/src/`,
    may: [
      `packages/${name}/src/`,
      "@resonate-ts/sdk",
      "@resonate-ts/server",
      PROTOCOL,
      "node:",
      // Requests that a test sends are read as the server reads them.
      ...(name === "testing" ? [PARSE] : []),
      ...(name === "cli"
        ? ["commander", "picocolors", "zod", "@bomb.sh/tab/commander", "eventsource-parser/stream"]
        : []),
      ...(name === "bench" ? ["@resonatehq/sdk", "hdr-histogram-js", "undici"] : []),
    ],
    because: "tools use the public entries of the SDK and the server, as anyone could",
  })),
];

const packages = workspaces();
const sources = find(["packages/*/src/**/*.ts", "packages/*/src/**/*.tsx"]);
const everything = find(["packages/*/{src,test}/**/*.ts", "apps/*/{src,test}/**/*.ts"]);

test("every source file imports only what its place allows", () => {
  expect(sources.flatMap((file) => problems(file, importsOf(file)))).toEqual([]);
});

test.each([
  ["packages/protocol/src/ids.ts", 'import { hash } from "node:crypto";'],
  ["packages/protocol/src/ids.ts", 'import type { Engine } from "@resonate-ts/server";'],
  [`${SERVER}core/birth.ts`, 'import { setTimeout } from "node:timers/promises";'],
  [`${SERVER}core/birth.ts`, 'import { parseRequest } from "@resonate-ts/protocol/parse";'],
  [`${SERVER}core/task/get.ts`, 'import type { Store } from "../../stores/store.ts";'],
  [
    `${SERVER}engine/execute.ts`,
    'import {\n  SqliteStore,\n} from "../stores/sqlite/sqlite-store.ts";',
  ],
  [`${SERVER}stores/sqlite/write.ts`, 'export { settlement } from "../../core/settlement.ts";'],
  [`${SERVER}http/api.ts`, 'import { SqliteStore } from "../stores/sqlite/sqlite-store.ts";'],
  [`${SDK}core/drive.ts`, 'import "../network/http.ts";'],
  [`${SDK}resonate.ts`, 'import { openEngine } from "@resonate-ts/server";'],
  [`${SDK}network/embedded.ts`, 'import { openEngine } from "@resonate-ts/server";'],
  ["packages/dashboard/src/page.ts", '  const server = await import("@resonate-ts/server");'],
  ["packages/new/src/index.ts", ""],
])("%s with %s is refused", (file, text) => {
  expect(problems(file, importsIn(file, text))).toHaveLength(1);
});

test.each([
  [`${SDK}network/embedded.ts`, '  const server = await import("@resonate-ts/server");'],
  [`${SDK}network/embedded.ts`, 'import type { Engine } from "@resonate-ts/server";'],
  [`${SERVER}engine/execute.ts`, 'import type { Store } from "../stores/store.ts";'],
  [`${SDK}core/drive.ts`, '/**\n * import { readFile } from "node:fs";\n */'],
])("%s with %s is allowed", (file, text) => {
  expect(problems(file, importsIn(file, text))).toEqual([]);
});

test("an app imports of ours the SDK only, and the testing package in its tests", () => {
  const broken = find(["apps/*/**/*.ts"]).flatMap((file) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith("@resonate-ts/"))
      .filter(({ specifier }) => {
        const inTest = /^apps\/[^/]+\/test\//.test(file) && specifier === "@resonate-ts/testing";
        return (
          specifier !== "@resonate-ts/sdk" && specifier !== "@resonate-ts/sdk/async" && !inTest
        );
      })
      .map((one) => `${where(one)}: an app is copied out of here and must stand alone`),
  );

  expect(broken).toEqual([]);
});

test("no file reaches out of its own package, or into another one past its entries", () => {
  const broken = everything.flatMap((file) => {
    const home = workspaceOf(file);
    return importsOf(file).flatMap((one) => {
      if (one.specifier.startsWith(".")) {
        return one.to.startsWith(`${home.folder}/`)
          ? []
          : [`${where(one)}: is outside of ${home.folder}`];
      }
      const other = packages.find(({ name }) => named(one.specifier) === name);
      const entry = `.${one.specifier.slice(other?.name.length)}`;
      return !other || other.entries.includes(entry)
        ? []
        : [`${where(one)}: ${other.name} has no entry '${entry}'`];
    });
  });

  expect(broken).toEqual([]);
});

test("every package that is imported is declared by the one that imports it", () => {
  const root = Object.keys(JSON.parse(read("package.json")).devDependencies);
  const broken = everything.flatMap((file) => {
    const home = workspaceOf(file);
    // Nobody depends on the benchmarks, so what they compare with is a development dependency; and what the page needs is
    // built into its files.
    const inTest =
      file.startsWith(`${home.folder}/test/`) ||
      ["packages/bench", "packages/dashboard"].includes(home.folder);
    const declared = [
      home.name,
      ...home.dependencies,
      ...(inTest ? [...home.devDependencies, ...root] : []),
    ];
    return importsOf(file)
      .filter(({ specifier }) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
      .filter(({ specifier }) => !declared.includes(named(specifier)))
      .map((one) => `${where(one)}: is not in ${home.folder}/package.json`);
  });

  expect(broken).toEqual([]);
});

test("packages do not depend on each other in a circle", () => {
  const uses = new Map(
    packages.map(({ name, dependencies }) => [
      name,
      dependencies.filter((other) => other.startsWith("@resonate-ts/")),
    ]),
  );
  const circles = [...uses.keys()].flatMap((name) => circle(name, [name], uses));

  expect(circles).toEqual([]);
});

test("no source file is longer than 400 lines", () => {
  const long = sources
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
    .filter(({ lines }) => lines > 400);

  expect(long).toEqual([]);
});

test("no package writes to the console", () => {
  const talking = sources.filter((file) =>
    /^(?!\s*(?:\*|\/\/)).*\bconsole\.\w+\(/m.test(read(file)),
  );

  expect(talking).toEqual([]);
});

function problems(file: string, imports: readonly Import[]): string[] {
  const rule = RULES.find(({ files }) => file.startsWith(files));
  if (!rule) return [`${file}: no rule says what it may import`];
  return imports
    .filter((one) => !allowed(one, rule))
    .map((one) => `${where(one)} must not be imported: ${rule.because}`);
}

function allowed(one: Import, { may, lazily = [] }: Rule): boolean {
  const names = [...may, ...(one.lazy || one.types ? lazily : [])];
  return names.some((name) => (/[/:]$/.test(name) ? one.to.startsWith(name) : one.to === name));
}

function where({ from, line, specifier }: Import): string {
  return `${from}:${line} '${specifier}'`;
}

function workspaceOf(file: string): Workspace {
  const home = packages.find(({ folder }) => file.startsWith(`${folder}/`));
  if (!home) throw new Error(`${file} belongs to no package`);
  return home;
}

/** The package that a specifier names. */
function named(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function circle(
  name: string,
  path: readonly string[],
  uses: ReadonlyMap<string, string[]>,
): string[] {
  return (uses.get(name) ?? []).flatMap((next) => {
    if (next === path[0]) return [[...path, next].join(" → ")];
    return path.includes(next) ? [] : circle(next, [...path, next], uses);
  });
}
