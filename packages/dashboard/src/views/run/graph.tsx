/** A run as a graph of calls, from left to right. */
import { useCallback, useMemo, useState } from "react";
import {
  boxesOf,
  type Display,
  displaysOf,
  displayTree,
  membersOf,
} from "../../model/display-tree.ts";
import { type Box, layoutOf } from "../../model/layout.ts";
import { workerColour } from "../../model/palette.ts";
import { ancestorsOf } from "../../model/run.ts";
import { statusOf } from "../../model/status.ts";
import { Button } from "../../ui/button.tsx";
import { useKeys } from "../../ui/use-keys.ts";
import { CellsBox } from "./cells-box.tsx";
import { HoverCard } from "./hover-card.tsx";
import { Links } from "./links.tsx";
import type { Hover, Scene } from "./scene.ts";
import { SingleBox } from "./single-box.tsx";
import { usePanZoom } from "./use-pan-zoom.ts";

/** Below this scale words cannot be read. */
const FAR = 0.45;
const ZOOM_STEP = 1.25;

export function Graph({ scene }: { readonly scene: Scene }) {
  const { run, opened, selected, select, toggle } = scene;
  const apart = useMemo(
    () => new Set([...opened, ...ancestorsOf(run, selected)]),
    [run, opened, selected],
  );
  const top = useMemo(() => displayTree(run, apart), [run, apart]);
  const layout = useMemo(() => layoutOf(top), [top]);
  const keys = useMemo(() => boxesOf(top), [top]);
  const box = layout.boxes.get(keys.get(selected) ?? "");
  const pan = usePanZoom(layout, box);
  const [hover, setHover] = useState<Hover>();
  const { view } = pan;

  const order = useCallback(
    () => displaysOf(top).flatMap((display) => membersOf(display).map(({ id }) => id)),
    [top],
  );
  const step = (by: number) => {
    const ids = order();
    const next = ids[ids.indexOf(selected) + by];
    if (next !== undefined) select(next);
  };
  const beside = (by: number) => {
    const parent = ancestorsOf(run, selected)[0] ?? run.root;
    const siblings = run.children.get(parent) ?? [];
    const at = siblings.findIndex(({ id }) => id === selected);
    const next = at === -1 ? undefined : siblings[at + by];
    if (next) select(next.id);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    arrowleft: () => select(ancestorsOf(run, selected)[0] ?? run.root),
    arrowright: () => select(run.children.get(selected)?.[0]?.id ?? selected),
    arrowup: () => beside(-1),
    arrowdown: () => beside(1),
    enter: () => toggle([selected]),
    "+": () => pan.zoom(ZOOM_STEP),
    "=": () => pan.zoom(ZOOM_STEP),
    "-": () => pan.zoom(1 / ZOOM_STEP),
    "0": pan.fit,
  });

  return (
    <section
      className="graph"
      aria-label="Graph of calls"
      ref={pan.screen}
      data-far={view.scale < FAR || undefined}
      data-moved={pan.moved || undefined}
      {...pan.handlers}
    >
      <div
        className="picture"
        data-gliding={pan.gliding || undefined}
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      >
        <Links layout={layout} keys={keys} edges={run.edges} />
        {[...layout.boxes.values()].map((one) => (
          <BoxPlace key={one.display.key} box={one} scene={scene} onHover={setHover} />
        ))}
      </div>
      <div className="zoom">
        <Button icon="plus" aria-label="Zoom in" onClick={() => pan.zoom(ZOOM_STEP)} />
        <Button icon="minus" aria-label="Zoom out" onClick={() => pan.zoom(1 / ZOOM_STEP)} />
        <Button icon="fit" aria-label="Fit, and keep it so" onClick={pan.fit} />
        {opened.size > 0 && (
          <Button icon="fold" onClick={() => toggle([...opened])}>
            Fold
          </Button>
        )}
      </div>
      {hover && <HoverCard hover={hover} scene={scene} />}
    </section>
  );
}

interface PlaceProps {
  readonly box: Box;
  readonly scene: Scene;
  readonly onHover: (hover: Hover | undefined) => void;
}

function BoxPlace({ box, scene, onHover }: PlaceProps) {
  const { display, x, y, width, height, grid } = box;
  const style = { transform: `translate(${x}px, ${y}px)`, width, height };
  if (display.kind !== "single" && grid) {
    return (
      <div className="box many" data-key={display.key} style={style}>
        <CellsBox display={display} grid={grid} scene={scene} onHover={onHover} />
      </div>
    );
  }
  return <SinglePlace display={display} style={style} scene={scene} />;
}

interface SingleProps {
  readonly display: Display;
  readonly style: { readonly transform: string; readonly width: number; readonly height: number };
  readonly scene: Scene;
}

function SinglePlace({ display, style, scene }: SingleProps) {
  if (display.kind !== "single") return null;
  const { node } = display;
  const worker = scene.workers.get(node.id);
  const colour =
    worker === undefined || scene.colourBy === "status" ? undefined : workerColour(worker);
  return (
    <button
      type="button"
      className="box one"
      data-id={node.id}
      data-status={statusOf(node)}
      data-worker={colour}
      data-kind={node.kind}
      aria-current={node.id === scene.selected || undefined}
      style={style}
      onClick={() => scene.select(node.id)}
    >
      <SingleBox display={display} scene={scene} />
    </button>
  );
}
