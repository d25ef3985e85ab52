import { useMemo } from "react";
import { Link } from "wouter";
import { number } from "../../model/format.ts";
import { nameOf } from "../../model/names.ts";
import { workerColour } from "../../model/palette.ts";
import { isSettled, statusOf } from "../../model/status.ts";
import { tally } from "../../model/tally.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { TallyBar, TallyWords } from "../../ui/tally-bar.tsx";
import { Took } from "../../ui/took.tsx";
import type { Scene } from "./scene.ts";

interface Props {
  readonly scene: Scene;
  readonly view: "graph" | "timeline";
  readonly onView: (view: "graph" | "timeline") => void;
  readonly onColours: () => void;
}

export function RunHeader({ scene, view, onView, onColours }: Props) {
  const { run } = scene;
  const root = run.nodes.get(run.root);
  const counts = useMemo(() => tally(run.nodes.values()), [run]);
  if (!root) return null;
  return (
    <header className="run-header">
      <div className="line">
        <Link href="/executions" className="quiet">
          Executions
        </Link>
        <span className="quiet">/</span>
        <h1 className="id cut" title={run.root}>
          {run.root}
        </h1>
        <StatusBadge status={statusOf(root)} />
        <span className="quiet">
          {nameOf(root)} · <Took node={root} />
        </span>
        <span className="gap" />
        <Button onClick={onColours} title="Key: c">
          Colour by <b>{scene.colourBy}</b>
        </Button>
        <div className="segments" role="radiogroup" aria-label="View">
          {(["graph", "timeline"] as const).map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="view"
                checked={view === name}
                onChange={() => onView(name)}
              />
              <span>
                <Icon name={name} />
                {name === "graph" ? "Graph" : "Timeline"}
              </span>
            </label>
          ))}
        </div>
      </div>
      <div className="line">
        <TallyBar counts={counts} />
        <TallyWords counts={counts} />
        <span className="gap" />
        <Workers scene={scene} />
      </div>
      {run.truncated && (
        <p className="note">
          Only the first {number(run.nodes.size)} promises of this run are shown; there are more.
        </p>
      )}
    </header>
  );
}

/** Workers of this run, and how much of it each is at. */
function Workers({ scene: { run, workers } }: { readonly scene: Scene }) {
  const loads = useMemo(() => {
    const held = new Map<string, number>();
    for (const worker of workers.values()) held.set(worker, held.get(worker) ?? 0);
    for (const node of run.nodes.values()) {
      const worker = node.task?.pid;
      if (worker === undefined || isSettled(node) || statusOf(node) !== "running") continue;
      held.set(worker, (held.get(worker) ?? 0) + 1);
    }
    return [...held].sort(([a], [b]) => (a < b ? -1 : 1));
  }, [run, workers]);
  return (
    <span className="workers">
      {loads.map(([worker, count]) => (
        <span
          key={worker}
          className="worker"
          data-name={worker}
          data-worker={workerColour(worker)}
          data-idle={count === 0 || undefined}
          title={`${worker} is at ${count} of these`}
        >
          <i className="dot" />
          <span className="cut">{worker}</span>
          <b>{number(count)}</b>
        </span>
      ))}
    </span>
  );
}
