/** A run over time: a row for each promise, however many there are. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { roundDuration } from "../../model/format.ts";
import { isSettled } from "../../model/status.ts";
import { placeIn, type Span, spanOf, ticksOf, timelineRows, zoomed } from "../../model/timeline.ts";
import { Button } from "../../ui/button.tsx";
import { useKeys } from "../../ui/use-keys.ts";
import { useNow } from "../../ui/use-now.ts";
import type { Scene } from "./scene.ts";
import { TimelineRowLine } from "./timeline-row.tsx";

const ROW_HEIGHT = 30;
const ZOOM_STEP = 1.6;
/** Pixels between two ticks, about. */
const TICK_GAP = 80;

export function Timeline({ scene }: { readonly scene: Scene }) {
  const { run, selected, select } = scene;
  const rows = useMemo(() => timelineRows(run), [run]);
  const root = run.nodes.get(run.root);
  const now = useNow(250, root !== undefined && !isSettled(root));
  const whole = useMemo(() => spanOf(run, now), [run, now]);
  const [chosen, setChosen] = useState<Span>();
  const span = chosen ?? whole;
  const scroller = useRef<HTMLDivElement>(null);
  const track = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.node.id ?? index,
    overscan: 16,
  });

  const at = useMemo(() => rows.findIndex(({ node }) => node.id === selected), [rows, selected]);
  const revealed = useRef<string>(undefined);
  useEffect(() => {
    if (at === -1 || revealed.current === selected) return;
    revealed.current = selected;
    virtual.scrollToIndex(at, { align: "auto" });
  }, [at, selected, virtual]);
  const step = (by: number) => {
    const next = rows[at + by];
    if (next) select(next.node.id);
  };
  const zoom = (factor: number, place = 0.5) => setChosen(zoomed(span, factor, place));
  const pan = (share: number) => {
    const by = (span.to - span.from) * share;
    setChosen({ from: span.from + by, to: span.to + by });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    arrowdown: () => step(1),
    arrowup: () => step(-1),
    arrowright: () => pan(0.1),
    arrowleft: () => pan(-0.1),
    "+": () => zoom(1 / ZOOM_STEP),
    "=": () => zoom(1 / ZOOM_STEP),
    "-": () => zoom(ZOOM_STEP),
    "0": () => setChosen(undefined),
  });
  useTimeWheel(scroller, track, zoom);

  return (
    <section className="timeline" aria-label="Timeline">
      <div className="scale">
        <span>
          {chosen === undefined ? (
            <small className="quiet">Ctrl and the wheel zoom</small>
          ) : (
            <Button icon="fit" onClick={() => setChosen(undefined)}>
              All of it
            </Button>
          )}
        </span>
        <Ticks span={span} zero={whole.from} track={track} />
        <span>Worker</span>
        <span>Took</span>
        <span>In</span>
        <span>Out</span>
      </div>
      <div className="list" ref={scroller}>
        <div className="rows" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const row = rows[index];
            if (!row) return null;
            return (
              <TimelineRowLine
                key={key}
                row={row}
                top={start}
                span={span}
                now={now}
                scene={scene}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface TicksProps {
  readonly span: Span;
  readonly zero: number;
  readonly track: { readonly current: HTMLDivElement | null };
}

function Ticks({ span, zero, track }: TicksProps) {
  const count = (track.current?.clientWidth ?? 700) / TICK_GAP;
  return (
    <div className="ticks" ref={track}>
      {ticksOf(span, zero, count).map((tick) => (
        <span key={tick} style={{ left: `${placeIn(span, zero + tick) * 100}%` }}>
          {tick === 0 ? "0" : roundDuration(tick)}
        </span>
      ))}
    </div>
  );
}

/** With Ctrl (or by a pinch) the wheel zooms in time, around the pointer. */
function useTimeWheel(
  scroller: { readonly current: HTMLDivElement | null },
  track: { readonly current: HTMLDivElement | null },
  zoom: (factor: number, place: number) => void,
): void {
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      const area = track.current?.getBoundingClientRect();
      if (!event.ctrlKey || !area) return;
      event.preventDefault();
      const place = Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
      latest.current(Math.exp(event.deltaY / 300), place);
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [scroller, track]);
}
