/** The disk's own limit: 4 KiB appended to a file and brought to the disk, again and again. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Milliseconds per commit, over `count` of them. */
export function measureDisk(count: number): number {
  const folder = mkdtempSync(join(tmpdir(), "resonate-bench-"));
  const file = openSync(join(folder, "log"), "a");
  const page = Buffer.alloc(4_096, 1);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  const ms = performance.now() - start;
  closeSync(file);
  rmSync(folder, { recursive: true });
  return ms / count;
}
