import { cpSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { copyFiles } from "./files.ts";
import { writeManifest } from "./manifest.ts";
import { packOurs } from "./pack.ts";
import { APPS } from "./places.ts";

/** Our packages, packed. */
export interface Packed {
  readonly folder: string;
  /** File names in `folder`, by the name of the package. */
  readonly tarballs: ReadonlyMap<string, string>;
}

/** Copies the app `name` to `target`, a new or empty folder, with our packages beside it: packed now, or as given. */
export function copyApp(name: string, target: string, packed?: Packed): void {
  mkdirSync(target, { recursive: true });
  copyFiles(join(APPS, name), target, name);
  const folder = join(target, "packages");
  if (packed) cpSync(packed.folder, folder, { recursive: true });
  const tarballs = packed?.tarballs ?? packOurs(folder);
  writeManifest(target, { name: packageName(target) || name, tarballs });
}

/** The name of the folder, as far as npm accepts it as one of a package. */
function packageName(target: string): string {
  return basename(target)
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .replace(/^[._-]+/, "");
}
