/** One run: its graph or its timeline, and beside it the promise that is selected. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { CancelDialog } from "../../actions/cancel-dialog.tsx";
import { RetryDialog } from "../../actions/retry-dialog.tsx";
import type { Run } from "../../model/run.ts";
import { workersOf } from "../../model/run.ts";
import { isSettled, statusOf } from "../../model/status.ts";
import { Empty, Problem } from "../../ui/empty.tsx";
import { useKeys } from "../../ui/use-keys.ts";
import { useParam } from "../../ui/use-params.ts";
import { PromisePanel } from "../promise/promise-panel.tsx";
import { Graph } from "./graph.tsx";
import { RunHeader } from "./run-header.tsx";
import type { ColourBy, Scene } from "./scene.ts";
import { Timeline } from "./timeline.tsx";
import { useRun } from "./use-run.ts";

export function RunView({ id }: { readonly id: string }) {
  const { run, error, reload } = useRun(id);
  if (run) return <LoadedRun run={run} id={id} />;
  return (
    <main className="run">
      {error !== undefined && (
        <Empty title="This run cannot be shown">
          <Problem error={error} onRetry={reload} />
          <Link href="/executions">All executions</Link>
        </Empty>
      )}
    </main>
  );
}

type Asked = { readonly kind: "cancel" } | { readonly kind: "retry"; readonly cause?: string };

function LoadedRun({ run, id }: { readonly run: Run; readonly id: string }) {
  const [, go] = useLocation();
  const [view, setView] = useParam("view");
  const [asked, setAsked] = useState<Asked>();
  const [colours, setColours] = useParam("colours");
  const colourBy: ColourBy = colours === "status" ? "status" : "worker";
  const scene = useScene(run, id, colourBy);
  const { selected } = scene;
  const node = run.nodes.get(selected);
  const cancel = () => node && !isSettled(node) && setAsked({ kind: "cancel" });
  const retry = (cause?: string) =>
    node &&
    statusOf(node) === "halted" &&
    setAsked({ kind: "retry", ...(cause !== undefined && { cause }) });
  const turn = () => setView(view === "timeline" ? "" : "timeline");
  const recolour = () => setColours(colourBy === "worker" ? "status" : "");
  useKeys({
    g: turn,
    c: recolour,
    x: cancel,
    r: () => retry(),
    escape: () => go("/executions"),
  });
  useEffect(() => {
    document.title = `${run.root} – Resonate`;
    return () => {
      document.title = "Resonate";
    };
  }, [run.root]);
  const close = () => setAsked(undefined);
  return (
    <main className="run">
      <RunHeader
        scene={scene}
        view={view === "timeline" ? "timeline" : "graph"}
        onView={(next) => setView(next === "timeline" ? next : "")}
        onColours={recolour}
      />
      <div className="halves">
        {view === "timeline" ? <Timeline scene={scene} /> : <Graph scene={scene} />}
        {node && (
          <PromisePanel
            key={selected}
            node={node}
            scene={scene}
            onCancel={cancel}
            onRetry={retry}
          />
        )}
      </div>
      {asked?.kind === "cancel" && <CancelDialog id={selected} run={run} onClose={close} />}
      {asked?.kind === "retry" && <RetryDialog id={selected} cause={asked.cause} onClose={close} />}
    </main>
  );
}

function useScene(run: Run, id: string, colourBy: ColourBy): Scene {
  const [chosen, setChosen] = useParam("sel");
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const selected = run.nodes.has(chosen) ? chosen : run.nodes.has(id) ? id : run.root;
  const toggle = useCallback(
    (keys: readonly string[]) => setOpened((before) => before.symmetricDifference(new Set(keys))),
    [],
  );
  const workers = useMemo(() => workersOf(run), [run]);
  return useMemo(
    () => ({ run, workers, colourBy, selected, select: setChosen, opened, toggle }),
    [run, workers, colourBy, selected, setChosen, opened, toggle],
  );
}
