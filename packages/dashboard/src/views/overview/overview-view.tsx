/** How the server is doing: what it has open, how much it does, who works for it. */
import type { ActivityPoint, DashboardEvent, Overview, WorkerGroup } from "@resonate-ts/protocol";
import { useCallback, useEffect, useState } from "react";
import { Link } from "wouter";
import { type Curves, curvesOf, withPoint } from "../../model/activity.ts";
import { bytes, counted, duration, roundDuration } from "../../model/format.ts";
import { Empty, Problem } from "../../ui/empty.tsx";
import { useEvents } from "../../ui/live-context.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useReading } from "../../ui/use-reading.ts";
import { useThrottled } from "../../ui/use-throttled.ts";
import { Chart } from "./chart.tsx";
import { Groups } from "./groups.tsx";

/** What is open is counted again when something happened, but not more often. */
const COUNT_EVERY_MS = 3_000;

export function OverviewView() {
  const { data, error, reload } = useReading("overview");
  const live = useLiveOverview(data);
  const now = useNow(1_000);
  useThrottled(live?.series, COUNT_EVERY_MS, reload);
  if (!live)
    return <main>{error === undefined ? null : <Problem error={error} onRetry={reload} />}</main>;
  return (
    <main className="overview">
      <h1 className="hidden">Overview</h1>
      <Numbers overview={live} />
      <Charts curves={curvesOf(live.series, now)} />
      <section>
        <h2 className="title">Groups and workers</h2>
        {live.groups.length > 0 ? (
          <Groups groups={live.groups} now={now} />
        ) : (
          <Empty title="No worker is connected">
            <p>Work waits until one of its group is. Start one, for instance:</p>
            <pre>pnpm --filter factorial-worker start</pre>
          </Empty>
        )}
      </section>
      <footer className="quiet">
        Resonate {live.version} · {live.storage.type}
        {live.storage.bytes !== undefined && ` (${bytes(live.storage.bytes)})`} · up for{" "}
        {roundDuration(Math.max(0, Math.floor((now - live.startedAt) / 1_000)) * 1_000)}
      </footer>
    </main>
  );
}

/** What was read, and what events told since. */
function useLiveOverview(data: Overview | undefined): Overview | undefined {
  const [series, setSeries] = useState<readonly ActivityPoint[]>([]);
  const [groups, setGroups] = useState<readonly WorkerGroup[]>([]);
  useEffect(() => {
    if (!data) return;
    // A second may have been told of before the answer came.
    setSeries((told) => told.reduce(withPoint, data.series));
    setGroups(data.groups);
  }, [data]);
  const listen = useCallback((event: DashboardEvent) => {
    if (event.event === "activity") setSeries((before) => withPoint(before, event.data));
    if (event.event === "workers") setGroups(event.data);
  }, []);
  useEvents(listen);
  return data && { ...data, series, groups };
}

const NUMBERS = [
  { of: "promises", name: "Open promises", state: "pending" },
  { of: "pending", name: "Queued", state: "pending" },
  { of: "acquired", name: "Running", state: "pending" },
  { of: "suspended", name: "Waiting", state: "pending" },
  { of: "halted", name: "Halted", state: "halted" },
] as const;

function Numbers({ overview: { open } }: { readonly overview: Overview }) {
  return (
    <div className="numbers">
      {NUMBERS.map(({ of, name, state }) => (
        <Link
          key={of}
          href={`/executions?state=${state}`}
          className="card number"
          data-alarm={(of === "halted" && open[of].count > 0) || undefined}
        >
          <span>{name}</span>
          <b>{counted(open[of])}</b>
        </Link>
      ))}
    </div>
  );
}

function Charts({ curves }: { readonly curves: Curves }) {
  const { at } = curves;
  return (
    <div className="charts">
      <Chart
        title="Throughput, per second"
        at={at}
        format={rate}
        curves={[
          { name: "requests", colour: "--chart-1", values: curves.requests, filled: true },
          { name: "commits", colour: "--chart-2", values: curves.commits },
        ]}
      />
      <Chart
        title="Promises, per second"
        at={at}
        format={rate}
        curves={[
          { name: "created", colour: "--chart-3", values: curves.created, filled: true },
          { name: "settled", colour: "--chart-4", values: curves.settled },
        ]}
      />
      <Chart
        title="Latency of requests"
        at={at}
        format={latency}
        curves={[
          { name: "p99", colour: "--chart-5", values: curves.p99 },
          { name: "p50", colour: "--chart-1", values: curves.p50, filled: true },
        ]}
      />
    </div>
  );
}

function rate(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1_000)}k` : String(Math.round(value * 10) / 10);
}

function latency(ms: number): string {
  return ms > 0 && ms < 10 ? `${Number(ms.toFixed(1))} ms` : duration(ms);
}
