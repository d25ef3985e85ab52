import { bytes, duration } from "../../model/format.ts";
import { KIND_MEANINGS, nameOf, shortId } from "../../model/names.ts";
import { workerColour } from "../../model/palette.ts";
import { isSettled, statusOf } from "../../model/status.ts";
import { endOf, placeIn, type Span, type TimelineRow } from "../../model/timeline.ts";
import { Icon } from "../../ui/icon.tsx";
import { WorkerName } from "../../ui/worker-name.tsx";
import type { Scene } from "./scene.ts";

interface Props {
  readonly row: TimelineRow;
  readonly top: number;
  readonly span: Span;
  readonly now: number;
  readonly scene: Scene;
}

/** Indented no further, so that the name of a deep call is still there. */
const DEPTH_MAX = 10;
const INDENT = 14;

export function TimelineRowLine({ row: { node, depth }, top, span, now, scene }: Props) {
  const { id, kind, shared, task, createdAt, paramBytes, valueBytes } = node;
  const worker = scene.workers.get(id);
  const status = statusOf(node);
  const end = endOf(node, now);
  const from = Math.max(0, placeIn(span, createdAt));
  const to = Math.min(1, placeIn(span, end));
  const byWorker = scene.colourBy === "worker" && worker !== undefined;
  return (
    <button
      type="button"
      className="time-row"
      data-id={id}
      aria-current={id === scene.selected || undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => scene.select(id)}
    >
      <span className="label" style={{ paddingLeft: Math.min(depth, DEPTH_MAX) * INDENT }}>
        <span className="kind" title={KIND_MEANINGS[kind]}>
          <Icon name={kind} />
        </span>
        <b className="cut">{nameOf(node)}</b>
        <small className="id cut" title={id}>
          {shortId(id, scene.run.root)}
        </small>
        {shared && (
          <span className="badge" title="It has an id of its own: others may use it too">
            <Icon name="shared" />
          </span>
        )}
        {(task?.failures ?? 0) > 0 && (
          <span className="badge" title="Claims that ended without a result">
            ↻ {task?.failures}
          </span>
        )}
      </span>
      <span className="track">
        {to >= 0 && from <= 1 && (
          <i
            className="bar"
            data-status={status}
            data-worker={byWorker ? workerColour(worker) : undefined}
            title={`${status}, ${duration(end - createdAt)}`}
            style={{ left: `${from * 100}%`, width: `${Math.max(0, to - from) * 100}%` }}
          />
        )}
      </span>
      <span className="cut">
        {worker === undefined ? <i className="quiet">–</i> : <WorkerName name={worker} />}
      </span>
      <span>{duration(end - createdAt)}</span>
      <span className="quiet">{bytes(paramBytes)}</span>
      <span className="quiet">{isSettled(node) ? bytes(valueBytes) : "–"}</span>
    </button>
  );
}
