import type { DashboardEvent } from "@resonate-ts/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { read } from "../../api/read.ts";
import {
  EMPTY_LIST,
  type ExecutionFilter,
  type ExecutionList,
  withExecutions,
  withFresh,
  withPage,
} from "../../model/execution-list.ts";
import { useEvents, useLive } from "../../ui/live-context.tsx";

interface Executions {
  readonly list: ExecutionList;
  /** Whether the first page has been read. */
  readonly ready: boolean;
  readonly error?: unknown;
  readonly loadMore: () => void;
  /** Whether there may be more, but the last pages had nothing. */
  readonly barren: boolean;
  readonly showFresh: () => void;
  readonly reload: () => void;
}

const PAGE = 100;
/** A list that events have made longer than this is read anew. */
const ROWS_MAX = 10_000;
/** A server looks at so many runs for a page; after this many pages with nothing on them a person is asked. */
const BARREN_MAX = 5;

interface State {
  readonly list: ExecutionList;
  readonly ready: boolean;
  readonly error?: unknown;
  /** How many pages before this one had nothing. */
  readonly barren: number;
}

/** The runs that the filter is for, page by page, and kept up to date. */
export function useExecutions(filter: ExecutionFilter): Executions {
  const live = useLive();
  const { state: promiseState, idPrefix, func } = filter;
  const [state, setState] = useState<State>({ list: EMPTY_LIST, ready: false, barren: 0 });
  const running = useRef<AbortController>(undefined);

  const load = useCallback(
    (cursor?: string) => {
      if (cursor === undefined) running.current?.abort();
      else if (running.current) return;
      const controller = new AbortController();
      running.current = controller;
      const query = { state: promiseState, idPrefix, func, limit: PAGE, cursor };
      read("executions", query, controller.signal)
        .then(
          (page) =>
            setState(({ list, barren }) => ({
              list: withPage(cursor === undefined ? EMPTY_LIST : list, page),
              ready: true,
              barren: page.executions.length > 0 || cursor === undefined ? 0 : barren + 1,
            })),
          (error) =>
            !controller.signal.aborted && setState((before) => ({ ...before, ready: true, error })),
        )
        .finally(() => {
          if (running.current === controller) running.current = undefined;
        });
    },
    [promiseState, idPrefix, func],
  );

  useEffect(() => {
    const end = live.whenStale(() => load());
    return () => {
      end();
      running.current?.abort();
      running.current = undefined;
    };
  }, [live, load]);

  const listen = useCallback(
    (event: DashboardEvent) => {
      if (event.event !== "executions") return;
      const applied = { state: promiseState, idPrefix, func };
      setState((before) => ({
        ...before,
        list: withExecutions(before.list, event.data, applied),
      }));
    },
    [promiseState, idPrefix, func],
  );
  useEvents(listen);

  const { list } = state;
  const tooLong = list.rows.length + list.fresh.length > ROWS_MAX;
  useEffect(() => {
    if (tooLong) load();
  }, [tooLong, load]);

  return {
    ...state,
    barren: list.cursor !== undefined && state.barren >= BARREN_MAX,
    loadMore: () => list.cursor !== undefined && load(list.cursor),
    showFresh: useCallback(
      () => setState((before) => ({ ...before, list: withFresh(before.list) })),
      [],
    ),
    reload: load,
  };
}
