/** Shows a run while it goes on: drawn in place where somebody looks, else line by line. */
import type { ServerAddress } from "./client.ts";
import { followRun, type Seen } from "./follow.ts";
import { RunLines } from "./run-lines.ts";
import { RunNodes } from "./run-nodes.ts";
import { RunPicture } from "./run-picture.ts";
import { Frame, type Screen } from "./screen.ts";
import { beforeSignal } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** Time from one drawing to the next, in ms. */
const DRAW_MS = 250;

export interface Watched {
  readonly terminal: Terminal;
  readonly server: ServerAddress;
  readonly id: string;
  /** Print each change as a line of JSON. */
  readonly json: boolean;
}

/** Shows the promise with all below it until it is settled. @throws Failure when the server does not tell of runs. */
export async function watchRun(watched: Watched): Promise<void> {
  const { terminal, server, id, json } = watched;
  const run = new RunNodes(id);
  const view =
    terminal.screen && !json ? pictureOn(terminal.screen, run) : linesOn(terminal, run, json);
  const done = new AbortController();
  try {
    for await (const seen of followRun(server, id, done.signal)) {
      view.show(seen);
      if (run.over) return;
    }
  } finally {
    done.abort();
    view.end();
  }
}

interface View {
  show(seen: Seen): void;
  end(): void;
}

function linesOn(terminal: Terminal, run: RunNodes, json: boolean): View {
  const lines = new RunLines(run);
  return {
    show(seen) {
      const now = Date.now();
      const fresh = lines.fresh(run.take(seen, now));
      const told = json
        ? fresh.map((node) => JSON.stringify(node))
        : lines.linesOf(fresh, run.serverTime(now));
      for (const line of told) terminal.out(line);
      if (seen.kind === "lost") terminal.err(lostInWords(seen.reason), "dim");
    },
    end() {},
  };
}

function pictureOn(screen: Screen, run: RunNodes): View {
  const frame = new Frame(screen);
  const picture = new RunPicture(run);
  let note = "";
  const draw = () => {
    frame.draw(picture.lines(frame.rowsMax, run.serverTime(Date.now()), note));
  };
  const drawing = setInterval(draw, DRAW_MS);
  const forget = beforeSignal(() => frame.end());
  return {
    show(seen) {
      run.take(seen, Date.now());
      note = seen.kind === "lost" ? lostInWords(seen.reason) : "";
    },
    end() {
      clearInterval(drawing);
      draw();
      frame.end();
      forget();
    },
  };
}

function lostInWords(reason: string): string {
  return `The server is away (${reason}); it is asked again.`;
}
