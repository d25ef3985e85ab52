/** `resonate why`: what is in the way of a promise. */
import type { Reason, Why } from "@resonate-ts/protocol";
import type { Command } from "commander";
import { send } from "../client.ts";
import { formatDuration } from "../duration.ts";
import { look } from "../insight.ts";
import { addServerOptions, idOf, printJson, type ServerOptions, serverOf } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { whyFromRecords } from "../why.ts";

/** Most ids that are printed below a reason. */
const IDS_MAX = 10;

export function addWhy(root: Command, terminal: Terminal): void {
  addServerOptions(
    root
      .command("why <id>")
      .description(
        "Say why a promise does not move: who has to do what, or how long it takes. Of other servers than ours less can be said.",
      )
      .summary("say why something does not move"),
  )
    .addHelpText("after", "\nExample:\n  $ resonate why report-may")
    .action(async (text: string, options: ServerOptions) => {
      const id = idOf(text);
      const server = serverOf(options, terminal);
      // Says at once when there is no server, or no such promise.
      const { promise } = await send(server, "promise.get", { id });
      const seen = await look(server, "why", { id });
      const why = seen ?? (await whyFromRecords(server, promise, Date.now()));
      if (options.json) printJson(terminal, why, options);
      else for (const line of whyLines(why)) terminal.out(line);
    });
}

/** For people: the verdict, and a line for each reason, with what it is about below. */
export function whyLines({ id, at, verdict, reasons }: Why): readonly string[] {
  const lines = reasons.flatMap((reason) => [`  ${sentence(reason, at)}`, ...idsBelow(reason, id)]);
  return [`${id} ${VERDICTS[verdict]}`, ...lines];
}

const VERDICTS: Readonly<Record<Why["verdict"], string>> = {
  settled: "has ended.",
  running: "is running.",
  waiting: "is waiting:",
  stuck: "is stuck. Somebody has to do something:",
};

function sentence({ code, text, until }: Reason, at: number): string {
  const said = text.replaceAll(SINCE, (_, instant: string) => relative(Date.parse(instant), at));
  if (until === undefined) return said;
  return `${said} ${UNTIL[code] ?? "Until"}: ${relative(until, at)}.`;
}

/** As servers write instants. */
const SINCE = /since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/g;

/** What happens at the instant that a reason is about. */
const UNTIL: Readonly<Partial<Record<Reason["code"], string>>> = {
  running: "Its lease ends",
  lease: "Its lease ends",
  offered: "It is offered again",
  delayed: "It is offered",
  sleeps: "It rings",
  external: "It times out",
};

function relative(instant: number, at: number): string {
  const ms = instant - at;
  return ms > 0 ? `in ${formatDuration(ms)}` : `${formatDuration(-ms)} ago`;
}

/** Ids that the sentence does not name, but the one that was asked about. */
function idsBelow({ text, ids = [] }: Reason, asked: string): readonly string[] {
  const unnamed = ids.filter((id) => id !== asked && !text.includes(`'${id}'`));
  const lines = unnamed.slice(0, IDS_MAX).map((id) => `    ${id}`);
  const left = unnamed.length - lines.length;
  return left > 0 ? [...lines, `    … and ${left} more`] : lines;
}
