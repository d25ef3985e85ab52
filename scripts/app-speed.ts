/**
 * `tsx scripts/app-speed.ts [ROUNDS] [APP…]`: how fast the apps are, each beside what does the same without durability,
 * or beside what it cannot do without; all in turn, in one run. Prints medians, every round, and ratios.
 */
import { crawlerSpeed } from "./app-speed/crawler.ts";
import { factorialSpeed } from "./app-speed/factorial.ts";
import { notificationsSpeed } from "./app-speed/notifications.ts";
import { stopPrograms } from "./demo/program.ts";

const ROUNDS_DEFAULT = 3;
const SPEEDS: Readonly<Record<string, (rounds: number) => Promise<readonly string[]>>> = {
  crawler: crawlerSpeed,
  factorial: factorialSpeed,
  notifications: notificationsSpeed,
};

const [rounds = ROUNDS_DEFAULT, ...asked] = process.argv.slice(2);
try {
  for (const [app, measure] of Object.entries(SPEEDS)) {
    if (asked.length > 0 && !asked.includes(app)) continue;
    const lines = await measure(Number(rounds));
    process.stdout.write(`${[app, ...lines.map((line) => `  ${line}`)].join("\n")}\n`);
  }
} finally {
  await stopPrograms();
}
