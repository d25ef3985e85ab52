/** All runs, the newest first. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import type { ExecutionFilter } from "../../model/execution-list.ts";
import { number } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Problem } from "../../ui/empty.tsx";
import { runPath } from "../../ui/run-link.tsx";
import { useKeys } from "../../ui/use-keys.ts";
import { useNow } from "../../ui/use-now.ts";
import { useParam, useParams, withParam } from "../../ui/use-params.ts";
import { ExecutionRow } from "./execution-row.tsx";
import { Filters } from "./filters.tsx";
import { useExecutions } from "./use-executions.ts";

const ROW_HEIGHT = 44;
/** How many rows before the end the next page is read. */
const AHEAD = 20;

export function ExecutionsView() {
  const [filter, setFilter] = useFilter();
  const [selected, select] = useParam("sel");
  const { list, ready, error, barren, loadMore, showFresh, reload } = useExecutions(filter);
  const { rows, fresh, cursor } = list;
  const [, go] = useLocation();
  const now = useNow(1_000);
  const scroller = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 12,
  });
  const shown = virtual.getVirtualItems();

  const lastShown = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (cursor !== undefined && error === undefined && !barren && lastShown >= rows.length - AHEAD)
      loadMore();
  });
  useEffect(() => {
    // Whoever sees the beginning sees what is new; whoever reads further down keeps the place.
    if (fresh.length > 0 && (scroller.current?.scrollTop ?? 0) === 0) showFresh();
  }, [fresh, showFresh]);

  const at = rows.findIndex(({ id }) => id === selected);
  const move = (by: number) => {
    const to = at === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
    const row = rows[to];
    if (!row) return;
    select(row.id);
    virtual.scrollToIndex(to);
  };
  useKeys({
    "/": () => search.current?.select(),
    j: () => move(1),
    k: () => move(-1),
    arrowdown: () => move(1),
    arrowup: () => move(-1),
    enter: () => at !== -1 && go(runPath(selected)),
    escape: () => select(""),
  });

  return (
    <main className="executions">
      <h1 className="hidden">Executions</h1>
      <Filters filter={filter} onChange={setFilter} search={search} />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      <div className="list-head" aria-hidden="true">
        <span>State</span>
        <span>Id</span>
        <span>Function</span>
        <span>Worker</span>
        <span>Started</span>
        <span>Took</span>
        <span>In</span>
        <span>Out</span>
      </div>
      <div className="list" ref={scroller} data-ready={ready || undefined}>
        {fresh.length > 0 && (
          <div className="fresh">
            <Button
              look="primary"
              onClick={() => {
                showFresh();
                scroller.current?.scrollTo({ top: 0 });
              }}
            >
              {number(fresh.length)} new
            </Button>
          </div>
        )}
        {ready && rows.length === 0 && cursor === undefined && error === undefined && (
          <NoExecutions filter={filter} />
        )}
        <div className="rows" style={{ height: virtual.getTotalSize() }}>
          {shown.map(({ index, start, key }) => {
            const node = rows[index];
            if (!node) return null;
            return (
              <ExecutionRow
                key={key}
                node={node}
                top={start}
                now={now}
                selected={node.id === selected}
              />
            );
          })}
        </div>
        {barren && (
          <div className="empty">
            <p>Nothing like that among the runs that were looked at. There are older ones.</p>
            <Button icon="search" onClick={loadMore}>
              Look further
            </Button>
          </div>
        )}
      </div>
    </main>
  );
}

function useFilter(): readonly [
  ExecutionFilter,
  (name: keyof ExecutionFilter, value: string) => void,
] {
  const [params, setParams] = useParams();
  const filter = {
    state: params.get("state") ?? "",
    idPrefix: params.get("idPrefix") ?? "",
    func: params.get("func") ?? "",
  };
  const set = (name: keyof ExecutionFilter, value: string) => {
    setParams((before) => {
      const next = withParam(before, name, value);
      next.delete("sel");
      return next;
    });
  };
  return [filter, set];
}

function NoExecutions({ filter }: { readonly filter: ExecutionFilter }) {
  if (filter.state || filter.idPrefix || filter.func) {
    return (
      <Empty title="Nothing like that">
        <p>
          No run has this state, function and beginning of its id. Take something away from the
          search.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing has been run yet">
      <p>
        Start something from a program, with the button above (or the key i), or from the command
        line:
      </p>
      <pre>resonate invoke hello-1 --func hello --arg World --target default</pre>
    </Empty>
  );
}
