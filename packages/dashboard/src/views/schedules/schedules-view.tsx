/** What is started by the clock. */
import type { DashboardEvent, ScheduleRecord } from "@resonate-ts/protocol";
import { TAG } from "@resonate-ts/protocol";
import { useCallback, useState } from "react";
import { Link } from "wouter";
import { read } from "../../api/read.ts";
import { clockTime, duration, exactTime, relative } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Problem } from "../../ui/empty.tsx";
import { useEvents } from "../../ui/live-context.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useReading } from "../../ui/use-reading.ts";
import { useThrottled } from "../../ui/use-throttled.ts";

const PAGE = 100;
/** After a schedule has fired, its next instant is read; many fire at the same full minute. */
const READ_EVERY_MS = 2_000;

export function SchedulesView() {
  const { data, error, reload } = useReading("schedules", { limit: PAGE });
  const [fired, setFired] = useState(0);
  const listen = useCallback((event: DashboardEvent) => {
    if (event.event !== "executions") return;
    if (event.data.some(({ schedule }) => schedule !== undefined)) setFired((count) => count + 1);
  }, []);
  useEvents(listen);
  useThrottled(fired, READ_EVERY_MS, reload);
  return (
    <main className="schedules">
      <h1 className="hidden">Schedules</h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data?.schedules.length === 0 && <NoSchedules />}
      {data && data.schedules.length > 0 && (
        <ScheduleTable key={data.cursor ?? ""} schedules={data.schedules} cursor={data.cursor} />
      )}
    </main>
  );
}

const COMMAND = `resonate schedules create nightly --cron "0 3 * * *" \\
  --promise-id "nightly-{{.timestamp}}" --promise-timeout 1h \\
  --promise-param '{"data":{"func":"report","args":[],"version":1}}' \\
  --promise-tags '{"resonate:target":"poll://any@reporters"}'`;

function NoSchedules() {
  return (
    <Empty title="No schedules">
      <p>
        A schedule starts a function again and again, as a cron expression says. From the command
        line:
      </p>
      <pre>{COMMAND}</pre>
    </Empty>
  );
}

interface TableProps {
  readonly schedules: readonly ScheduleRecord[];
  readonly cursor: string | undefined;
}

function ScheduleTable({ schedules, cursor }: TableProps) {
  const [more, setMore] = useState<{ schedules: readonly ScheduleRecord[]; cursor?: string }>();
  const [error, setError] = useState<unknown>();
  const now = useNow(1_000);
  const next = more ? more.cursor : cursor;
  const all = [...schedules, ...(more?.schedules ?? [])];
  const load = () => {
    setError(undefined);
    read("schedules", { limit: PAGE, cursor: next }).then(
      (page) => setMore({ ...page, schedules: [...(more?.schedules ?? []), ...page.schedules] }),
      setError,
    );
  };
  return (
    <>
      <table className="card">
        <thead>
          <tr>
            <th>Schedule</th>
            <th>Cron</th>
            <th>Next</th>
            <th>Last</th>
            <th>For</th>
            <th>Given up after</th>
            <th>Runs</th>
          </tr>
        </thead>
        <tbody>
          {all.map((schedule) => (
            <ScheduleRow key={schedule.id} schedule={schedule} now={now} />
          ))}
        </tbody>
      </table>
      {error !== undefined && <Problem error={error} />}
      {next !== undefined && <Button onClick={load}>More</Button>}
    </>
  );
}

function ScheduleRow({
  schedule,
  now,
}: {
  readonly schedule: ScheduleRecord;
  readonly now: number;
}) {
  const { id, cron, nextRunAt, lastRunAt, promiseId, promiseTags, promiseTimeout } = schedule;
  return (
    <tr>
      <td className="id">{id}</td>
      <td>
        <code>{cron}</code>
      </td>
      <td title={exactTime(nextRunAt)}>
        {clockTime(nextRunAt, now)} <span className="quiet">{relative(nextRunAt, now)}</span>
      </td>
      <td className="quiet" title={lastRunAt === undefined ? undefined : exactTime(lastRunAt)}>
        {lastRunAt === undefined ? "never" : clockTime(lastRunAt, now)}
      </td>
      <td className="id quiet">{promiseTags[TAG.target] ?? "nobody"}</td>
      <td>{duration(promiseTimeout)}</td>
      <td>
        <Link href={`/executions?${new URLSearchParams({ idPrefix: prefixOf(promiseId, id) })}`}>
          its runs
        </Link>
      </td>
    </tr>
  );
}

/** What the ids of all its runs begin with. */
function prefixOf(template: string, id: string): string {
  const filled = template.replaceAll("{{.id}}", () => id);
  const end = filled.indexOf("{{.timestamp}}");
  return end === -1 ? filled : filled.slice(0, end);
}
