/** A disk of its own, that can be filled and be made unwritable; only where this process may mount one. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Disk {
  readonly path: string;

  /** @throws when mounting is not allowed. */
  constructor(megabytes: number) {
    this.path = mkdtempSync(join(tmpdir(), "resonate-disk-"));
    try {
      run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "none", this.path);
    } catch (error) {
      rmSync(this.path, { recursive: true });
      throw error;
    }
  }

  /** Whether this process may mount disks; says so once when it may not. */
  static allowed(): boolean {
    try {
      new Disk(1).free();
      return true;
    } catch {
      process.stderr.write(
        "full and read-only disks are not tested: this process may not mount one\n",
      );
      return false;
    }
  }

  /** Takes so much of the space that `megabytes` are left. */
  fill(total: number, left: number): void {
    writeFileSync(join(this.path, "ballast"), Buffer.alloc((total - left) * 1_048_576));
  }

  /** Gives the space back. */
  clear(): void {
    rmSync(join(this.path, "ballast"));
  }

  readOnly(): void {
    run("mount", "-o", "remount,ro", this.path);
  }

  free(): void {
    run("umount", this.path);
    rmSync(this.path, { recursive: true });
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: "ignore" });
}
