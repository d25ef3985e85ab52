/**
 * The medians as a picture: bars of time per unit, on a logarithmic scale, one group for each workload that shows how
 * the sides compare. Those that show how one side grows are in the tables.
 */
import { msOf, type Results } from "./results.ts";
import { SIDES } from "./sides.ts";
import { WORKLOADS, type Workload } from "./workloads.ts";

const WIDTH = 860;
const LABEL_WIDTH = 310;
const BAR_HEIGHT = 16;
const GROUP_GAP = 34;
const COLOURS: Readonly<Record<string, string>> = {
  official: "#9aa0a6",
  restate: "#e8710a",
  dbos: "#9334e6",
  memory: "#8ab4f8",
  file: "#1a73e8",
  server: "#0b8043",
  postgres: "#81c995",
};
const LIMIT_COLOUR = "#dadce0";

interface Bar {
  readonly side: string;
  readonly ms: number;
}

/** An SVG that reads on light and on dark pages. */
export function chart(results: Results): string {
  const groups = [...results].flatMap(([name, sides]) => {
    const workload = WORKLOADS[name];
    if (!workload || !shows(workload)) return [];
    const bars = [...sides.keys()].flatMap((side): Bar[] => {
      const ms = msOf(results, name, side);
      return ms === undefined ? [] : [{ side, ms }];
    });
    return [{ title: `${workload.title}: ms per ${workload.unit}`.replaceAll("`", ""), bars }];
  });
  const all = groups.flatMap(({ bars }) => bars.map(({ ms }) => ms));
  const scale = logarithmic(Math.min(...all) / 2, Math.max(...all));
  const parts: string[] = [];
  let y = 8;
  for (const { title, bars } of groups) {
    y += GROUP_GAP;
    parts.push(text(8, y - 10, title, 'font-weight="600"'));
    for (const bar of bars) {
      parts.push(row(bar, y, scale));
      y += BAR_HEIGHT;
    }
  }
  const height = y + 16;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>Time per unit on a logarithmic scale: shorter is faster</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

function shows({ quick, kind }: Workload): boolean {
  return quick === true || kind === "crash";
}

function row({ side, ms }: Bar, y: number, scale: (ms: number) => number): string {
  const colour = COLOURS[side] ?? LIMIT_COLOUR;
  const width = scale(ms) * (WIDTH - LABEL_WIDTH - 80);
  return [
    text(8, y + 12, SIDES[side]?.title ?? side),
    `<rect x="${LABEL_WIDTH}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR_HEIGHT - 4}" rx="2" fill="${colour}"/>`,
    text(LABEL_WIDTH + width + 6, y + 12, ms.toPrecision(3)),
  ].join("\n");
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#202124" ${more}>${words}</text>`;
}

/** From 0 to 1 between two times. */
function logarithmic(least: number, most: number): (ms: number) => number {
  return (ms) => Math.log(ms / least) / Math.log(most / least);
}
