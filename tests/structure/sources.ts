/** Reads the repository as text: its packages, their files, and what each file imports. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Workspace {
  /** Folder, as `packages/server`. */
  readonly folder: string;
  readonly name: string;
  /** Entries that others may import: `.`, `./parse`. */
  readonly entries: readonly string[];
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

export interface Import {
  readonly from: string;
  /** As it is written. */
  readonly specifier: string;
  /** The file that a relative one names, from the root; otherwise the specifier. */
  readonly to: string;
  readonly line: number;
  /** Of types only, which are gone when the program runs. */
  readonly types: boolean;
  /** Fetched when it is needed, not when the file is loaded. */
  readonly lazy: boolean;
}

/** The packages and apps. */
export function workspaces(): Workspace[] {
  return find(["packages/*/package.json", "apps/*/package.json"]).map((file) => {
    const manifest = JSON.parse(read(file));
    return {
      folder: dirname(file),
      name: manifest.name,
      entries: Object.keys(manifest.exports ?? {}),
      dependencies: Object.keys(manifest.dependencies ?? {}),
      devDependencies: Object.keys(manifest.devDependencies ?? {}),
    };
  });
}

/** All TypeScript files that match, from the root. */
export function find(patterns: string[]): string[] {
  const isDependency = (file: string) => file.includes("node_modules");
  return globSync(patterns, { cwd: ROOT, exclude: isDependency }).sort();
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** Statements begin at the start of a line, so text in comments is not taken for one. */
const STATIC = /^(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*["']([^"']+)["']/gm;
const LAZY = /(?<!^\s*(?:\*|\/\/).*)\bimport\(\s*["']([^"']+)["']/gm;

export function importsOf(file: string): Import[] {
  return importsIn(file, read(file));
}

export function importsIn(file: string, text: string): Import[] {
  const found = (pattern: RegExp, lazy: boolean) =>
    [...text.matchAll(pattern)].map((match): Import => {
      const specifier = match[1] ?? "";
      const line = text.slice(0, match.index).split("\n").length;
      const types = /^(?:import|export) type\b/.test(match[0]);
      return { from: file, specifier, to: target(file, specifier), line, types, lazy };
    });
  return [...found(STATIC, false), ...found(LAZY, true)];
}

function target(file: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return relative(ROOT, join(ROOT, dirname(file), specifier));
}
