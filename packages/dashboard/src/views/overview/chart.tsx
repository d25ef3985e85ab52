/** A chart of the last minutes. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { minuteTime } from "../../model/format.ts";
import { useColours } from "../../ui/use-colours.ts";

export interface Curve {
  readonly name: string;
  /** A custom property with its colour. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly filled?: boolean;
}

interface Props {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly at: readonly number[];
  readonly curves: readonly Curve[];
  readonly format: (value: number) => string;
}

const HEIGHT = 150;
/** Full minutes, in seconds. */
const TIME_STEPS = [60, 120, 300];

export function Chart({ title, at, curves, format }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const colours = useColours();
  const latest = useRef<uPlot.AlignedData>([[]]);
  latest.current = [[...at], ...curves.map(({ values }) => [...values])];
  const look = useRef(curves);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const series = look.current.map(({ name, colour, filled = false }): uPlot.Series => {
      const stroke = colours(colour);
      const fill = filled ? { fill: colours(`${colour}-wash`) } : {};
      return { label: name, stroke, width: 1.5, points: { show: false }, ...fill };
    });
    const axis = { stroke: colours("--text-quiet"), font: "11px system-ui, sans-serif" };
    const grid = { stroke: colours("--line"), width: 1 };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
        padding: [8, 8, 0, 0],
        scales: { y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.1)] } },
        series: [{}, ...series],
        axes: [
          {
            ...axis,
            grid: { show: false },
            ticks: { show: false },
            size: 24,
            space: 70,
            incrs: TIME_STEPS,
            values: (_, ticks) => ticks.map((tick) => minuteTime(tick * 1_000)),
          },
          {
            ...axis,
            grid,
            ticks: { show: false },
            size: 52,
            space: 34,
            values: (_, ticks) => ticks.map((tick) => format(tick)),
          },
        ],
      },
      latest.current,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [colours, format]);

  useEffect(() => plot.current?.setData(latest.current));

  return (
    <figure className="card chart">
      <figcaption>
        <h2>{title}</h2>
        {curves.map(({ name, colour, values }) => (
          <Latest key={name} name={name} colour={colour} value={values.at(-1)} format={format} />
        ))}
      </figcaption>
      <div ref={place} className="plot" />
    </figure>
  );
}

interface LatestProps extends Pick<Props, "format"> {
  readonly name: string;
  readonly colour: string;
  readonly value: number | null | undefined;
}

function Latest({ name, colour, value, format }: LatestProps) {
  return (
    <span className="legend">
      <i className="dot" style={{ background: `var(${colour})` }} />
      {name}
      <b>{value === null || value === undefined ? "–" : format(value)}</b>
    </span>
  );
}
