import { serverNow } from "../../api/clock.ts";
import { duration } from "../../model/format.ts";
import { nameOf, shortId } from "../../model/names.ts";
import { statusOf } from "../../model/status.ts";
import { endOf } from "../../model/timeline.ts";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { WorkerName } from "../../ui/worker-name.tsx";
import type { Hover, Scene } from "./scene.ts";

/** Says what is under the pointer. */
export function HoverCard({
  hover: { node, x, y },
  scene,
}: {
  readonly hover: Hover;
  readonly scene: Scene;
}) {
  const known = scene.run.nodes.get(node.id) ?? node;
  const worker = scene.workers.get(node.id);
  const right = x > window.innerWidth - 320;
  return (
    <div
      className="hover-card"
      style={{
        left: x,
        top: y,
        transform: `translate(${right ? "calc(-100% - 14px)" : "14px"}, 14px)`,
      }}
    >
      <b>{nameOf(known)}</b>
      <span className="id">{shortId(known.id, scene.run.root)}</span>
      <StatusBadge status={statusOf(known)} />
      <span>{duration(endOf(known, serverNow()) - known.createdAt)}</span>
      {worker !== undefined && <WorkerName name={worker} />}
    </div>
  );
}
