import { type PointerEvent, useEffect, useMemo, useRef } from "react";
import { type CellGrid, cellUnder, gridHeight, gridWidth } from "../../model/cell-grid.ts";
import type { Cells } from "../../model/display-tree.ts";
import { number } from "../../model/format.ts";
import { nameOf } from "../../model/names.ts";
import { tally } from "../../model/tally.ts";
import { Button } from "../../ui/button.tsx";
import { TallyBar, TallyWords } from "../../ui/tally-bar.tsx";
import { useColours } from "../../ui/use-colours.ts";
import { paintCells } from "./cell-paint.ts";
import type { Hover, Scene } from "./scene.ts";

interface Props {
  readonly display: Cells;
  readonly grid: CellGrid;
  readonly scene: Scene;
  readonly onHover: (hover: Hover | undefined) => void;
}

/** How many of them are taken apart at a time. */
const OPEN_AT_ONCE = 10;
/** Room around the cells, for the ring around one. */
const EDGE = 3;

/** Many promises as one box, with a cell for each. */
export function CellsBox({ display, grid, scene, onHover }: Props) {
  const { members, kind, key, folded } = display;
  const counts = useMemo(() => tally(members), [members]);
  const first = members[0];
  const open = () =>
    scene.toggle(kind === "chain" ? [key] : members.slice(0, OPEN_AT_ONCE).map(({ id }) => id));
  return (
    <>
      <header>
        <b className="cut">{first && nameOf(first)}</b>
        <span className="quiet">
          {kind === "chain" ? `${number(members.length)} deep` : `× ${number(members.length)}`}
          {folded > 0 && `, ${number(folded)} below`}
        </span>
        <Button
          look="bare"
          icon="expand"
          aria-label={kind === "chain" ? "Show each call" : `Show ${OPEN_AT_ONCE} of them apart`}
          onClick={open}
        />
      </header>
      <TallyBar counts={counts} />
      <TallyWords counts={counts} />
      <CellCanvas display={display} grid={grid} scene={scene} onHover={onHover} />
    </>
  );
}

function CellCanvas({ display, grid, scene, onHover }: Props) {
  const { members } = display;
  const element = useRef<HTMLCanvasElement>(null);
  const colours = useColours();
  const width = gridWidth(grid) + 2 * EDGE;
  const height = gridHeight(grid) + 2 * EDGE;

  useEffect(() => {
    const canvas = element.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    // Twice as fine as the screen, because pictures are zoomed into.
    const fine = 2 * Math.max(1, devicePixelRatio);
    canvas.width = width * fine;
    canvas.height = height * fine;
    context.setTransform(fine, 0, 0, fine, EDGE * fine, EDGE * fine);
    paintCells(context, { members, grid }, { scene, colours });
  }, [members, grid, scene, colours, width, height]);

  const under = ({ nativeEvent }: PointerEvent) => {
    const point = { x: nativeEvent.offsetX - EDGE, y: nativeEvent.offsetY - EDGE };
    const index = cellUnder(grid, members.length, point);
    return index === undefined ? undefined : members[index];
  };
  return (
    <canvas
      ref={element}
      className="cells"
      style={{ width, height }}
      onPointerMove={(event) => {
        const node = under(event);
        onHover(node && { node, x: event.clientX, y: event.clientY });
      }}
      onPointerLeave={() => onHover(undefined)}
      onPointerUp={(event) => {
        const node = under(event);
        if (node) scene.select(node.id);
      }}
      onDoubleClick={() => display.kind === "siblings" && scene.toggle([scene.selected])}
    />
  );
}
