import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOT } from "./places.ts";

/** What an app needs of ours, at run time and in tests, and the command that starts a server. */
const OURS = ["protocol", "dashboard", "server", "sdk", "testing", "cli"];

/**
 * Packs our packages as a registry would be sent them, into `folder`.
 *
 * @returns File names in `folder`, by the name of the package.
 * @throws Error with what the build said, when one does not build.
 */
export function packOurs(folder: string): ReadonlyMap<string, string> {
  mkdirSync(folder, { recursive: true });
  return new Map(
    OURS.map((one) => {
      const cwd = join(ROOT, "packages", one);
      const { name } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"));
      return [name, pack(cwd, folder)];
    }),
  );
}

/** pnpm builds first (`prepack`), and writes versions in place of `workspace:*`. */
function pack(cwd: string, folder: string): string {
  const pnpm = join(ROOT, "node_modules", ".bin", "pnpm");
  const printed = execFileSync(pnpm, ["pack", "--json", "--pack-destination", folder], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  // What the build prints comes before the description.
  const { filename } = JSON.parse(printed.slice(printed.indexOf("{")));
  return basename(filename);
}
