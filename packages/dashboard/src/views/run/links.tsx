import type { ExecutionTree } from "@resonate-ts/protocol";
import type { Box, Layout } from "../../model/layout.ts";

interface Props {
  readonly layout: Layout;
  /** The key of the box of each promise. */
  readonly keys: ReadonlyMap<string, string>;
  readonly edges: ExecutionTree["edges"];
}

/** Lines across the tree beyond this would hide it. */
const EDGES_MAX = 300;

/** Lines from each box to what it started, and dashed ones to what else it waits for. */
export function Links({ layout, keys, edges }: Props) {
  const { boxes, width, height } = layout;
  return (
    <svg className="links" width={width} height={height} aria-hidden="true">
      {[...boxes.values()].map((box) => {
        const above = boxes.get(box.above ?? "");
        return (
          above && (
            <path
              key={box.display.key}
              style={{ d: path(curve(above, box)) }}
              d={curve(above, box)}
            />
          )
        );
      })}
      {across({ layout, keys, edges }).map(({ key, from, to }) => (
        <path key={key} className="across" d={curve(from, to)} />
      ))}
    </svg>
  );
}

/** A rule of style can glide from one path to the next; the attribute is for browsers that have no such rule. */
function path(line: string): string {
  return `path("${line}")`;
}

function across({ layout: { boxes }, keys, edges }: Props) {
  const lines = new Map<string, { key: string; from: Box; to: Box }>();
  for (const { awaiter, awaited } of edges) {
    const from = boxes.get(keys.get(awaiter) ?? "");
    const to = boxes.get(keys.get(awaited) ?? "");
    if (!from || !to || from === to || to.above === from.display.key) continue;
    const key = `${from.display.key} ${to.display.key}`;
    lines.set(key, { key, from, to });
    if (lines.size === EDGES_MAX) break;
  }
  return [...lines.values()];
}

function curve(from: Box, to: Box): string {
  const x1 = from.x + from.width;
  const y1 = from.y + from.height / 2;
  const x2 = to.x;
  const y2 = to.y + to.height / 2;
  const bend = Math.max(24, Math.abs(x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
