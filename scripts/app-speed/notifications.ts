/** One event to 10,000 recipients by three channels, beside the same sends from a plain bounded loop. */
import { Program } from "../demo/program.ts";

const RECIPIENTS = 10_000;

/** @returns Lines that say what was measured. */
export async function notificationsSpeed(rounds: number): Promise<readonly string[]> {
  const entry = "apps/fan-out-notifications/test/speed.ts";
  const program = new Program({ entry, args: [RECIPIENTS, rounds].map(String) });
  await program.success();
  return program.lines.map(({ text }) => text);
}
