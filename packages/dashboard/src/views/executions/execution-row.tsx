import type { ExecutionNode } from "@resonate-ts/protocol";
import { Link } from "wouter";
import { bytes, clockTime, duration, exactTime } from "../../model/format.ts";
import { isSettled, statusOf } from "../../model/status.ts";
import { endOf } from "../../model/timeline.ts";
import { runPath } from "../../ui/run-link.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { WorkerName } from "../../ui/worker-name.tsx";

interface Props {
  readonly node: ExecutionNode;
  readonly top: number;
  readonly now: number;
  readonly selected: boolean;
}

export function ExecutionRow({ node, top, now, selected }: Props) {
  const { id, func, version, task, createdAt, paramBytes, valueBytes } = node;
  return (
    <Link
      href={runPath(id)}
      className="row"
      data-id={id}
      aria-current={selected || undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      <StatusBadge status={statusOf(node)} />
      <span className="id cut" title={id}>
        {id}
      </span>
      <span className="cut">
        {func ?? <i className="quiet">–</i>}
        {version !== undefined && version !== 1 && <small className="quiet"> v{version}</small>}
      </span>
      {task?.pid === undefined ? <span className="quiet">–</span> : <WorkerName name={task.pid} />}
      <span className="quiet" title={exactTime(createdAt)}>
        {clockTime(createdAt, now)}
      </span>
      <span className={isSettled(node) ? "" : "quiet"}>
        {duration(endOf(node, now) - createdAt)}
      </span>
      <span className="quiet">{bytes(paramBytes)}</span>
      <span className="quiet">{isSettled(node) ? bytes(valueBytes) : "–"}</span>
    </Link>
  );
}
