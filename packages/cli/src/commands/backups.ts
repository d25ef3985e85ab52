/** `resonate backup` and `resonate restore`: copies of a database file. */
import { type BackupReport, backupDatabase, restoreDatabase } from "@resonate-ts/server";
import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";

/** How many damaged promises are named. */
const DAMAGED_NAMED_MAX = 10;

export function addBackup(root: Command, terminal: Terminal): void {
  root
    .command("backup <file> <copy>")
    .description("Copy a database, also while a server uses it.")
    .addHelpText("after", BACKUP_EXAMPLES)
    .action(async (file: string, copy: string) => {
      const report = await backupDatabase(file, copy);
      terminal.out(`'${copy}' holds ${inWords(report)} of '${file}'.`);
      warnOfDamage(report, terminal);
    });
}

export function addRestore(root: Command, terminal: Terminal): void {
  root
    .command("restore <copy> <file>")
    .description(
      "Make a database out of a backup. Claims of the time after it are no longer valid.",
    )
    .summary("make a database out of a backup")
    .addHelpText("after", RESTORE_EXAMPLES)
    .action(async (copy: string, file: string) => {
      const report = await restoreDatabase(copy, file);
      terminal.out(`'${file}' holds ${inWords(report)} of '${copy}'; start a server on it.`);
      warnOfDamage(report, terminal);
    });
}

const BACKUP_EXAMPLES = `
Examples:
  $ resonate backup resonate.db backups/monday.db`;

const RESTORE_EXAMPLES = `
Stop the server and move away what is there before.

Examples:
  $ mkdir damaged && mv resonate.db* damaged/
  $ resonate restore backups/monday.db resonate.db
  $ resonate serve`;

function inWords({ promises }: BackupReport): string {
  return promises === 1 ? "one promise" : `all ${promises} promises`;
}

function warnOfDamage({ damaged }: BackupReport, terminal: Terminal): void {
  if (damaged.length === 0) return;
  const named = damaged.slice(0, DAMAGED_NAMED_MAX).join(", ");
  const more = damaged.length > DAMAGED_NAMED_MAX ? ", …" : "";
  terminal.err(
    `${damaged.length} of them are damaged, and cannot be read: ${named}${more}. An older backup may have them.`,
    "red",
  );
}
