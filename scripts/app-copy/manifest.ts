import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./places.ts";

export interface ManifestOptions {
  readonly name: string;
  /** Files in the folder `packages`, by the name of the package. */
  readonly tarballs: ReadonlyMap<string, string>;
}

type Versions = Readonly<Record<string, string>>;

/** Rewrites the app's package.json and tsconfig.json so that they need nothing outside of `target`. */
export function writeManifest(target: string, { name, tarballs }: ManifestOptions): void {
  const manifest = readJson(join(target, "package.json"));
  const root = readJson(join(ROOT, "package.json"));
  const files = Object.fromEntries(
    [...tarballs].map(([one, file]) => [one, `file:packages/${file}`]),
  );
  const ours = (versions: Versions) =>
    Object.fromEntries(
      Object.entries(versions).map(([one, version]) => [one, files[one] ?? version]),
    );
  const cli = "@resonate-ts/cli";
  writeJson(join(target, "package.json"), {
    ...manifest,
    name,
    dependencies: ours(manifest.dependencies),
    devDependencies: { ...ours(manifest.devDependencies), [cli]: files[cli] },
    // npm puts this Node first on the path of every script, as pnpm does in the repository.
    optionalDependencies: root.optionalDependencies,
    // Our packages name each other by version; no registry has them.
    overrides: referring(files, manifest),
  });
  writeFileSync(join(target, "pnpm-workspace.yaml"), pnpmSettings(files));
  writeJson(join(target, "tsconfig.json"), {
    compilerOptions: readJson(join(ROOT, "tsconfig.base.json")).compilerOptions,
    include: ["src", "test"],
  });
}

/** npm wants what is a dependency itself to be overridden by reference. */
function referring(
  files: Versions,
  manifest: { dependencies: Versions; devDependencies: Versions },
) {
  const direct = { ...manifest.dependencies, ...manifest.devDependencies, "@resonate-ts/cli": "" };
  return Object.fromEntries(
    Object.entries(files).map(([one, file]) => [one, one in direct ? `$${one}` : file]),
  );
}

function pnpmSettings(files: Versions): string {
  const overrides = Object.entries(files).map(([one, file]) => `  "${one}": ${file}\n`);
  return `overrides:\n${overrides.join("")}\n# Packages with an install script have to be named.\nallowBuilds:\n  esbuild: true\n  node: true\n`;
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
