import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "resonate-bench-"));
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
