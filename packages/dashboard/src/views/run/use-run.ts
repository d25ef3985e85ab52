import type { DashboardEvent, ExecutionNode } from "@resonate-ts/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { read } from "../../api/read.ts";
import { type Run, runOf, withNodes } from "../../model/run.ts";
import { useLive } from "../../ui/live-context.tsx";

interface RunReading {
  readonly run?: Run;
  readonly error?: unknown;
  readonly reload: () => void;
}

/** A run as it is now. Events that come while it is being read are put on top of what was read. */
export function useRun(id: string): RunReading {
  const live = useLive();
  const [state, setState] = useState<{ run?: Run; error?: unknown }>({});
  const meanwhile = useRef<ExecutionNode[]>(undefined);
  const running = useRef<AbortController>(undefined);

  const reload = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const told: ExecutionNode[] = [];
    meanwhile.current = told;
    read("tree", { id }, controller.signal).then(
      (tree) => {
        meanwhile.current = undefined;
        setState(({ run }) => ({ run: withNodes(runOf(tree, run), told) }));
      },
      (error) => !controller.signal.aborted && setState((before) => ({ ...before, error })),
    );
  }, [id]);

  useEffect(() => {
    const listen = ({ event, data }: DashboardEvent) => {
      if (event !== "nodes") return;
      if (meanwhile.current) meanwhile.current.push(...data);
      else setState(({ run, ...rest }) => ({ ...rest, ...(run && { run: withNodes(run, data) }) }));
    };
    const ends = [live.listen(listen), live.whenStale(reload)];
    return () => {
      for (const end of ends) end();
      running.current?.abort();
    };
  }, [live, reload]);

  return { ...state, reload };
}
