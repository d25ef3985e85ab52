import { useCallback, useEffect, useRef, useState } from "react";
import { type Answers, apiUrl, type Query, read } from "../api/read.ts";
import { useLive } from "./live-context.tsx";

export interface Reading<T> {
  readonly data?: T;
  /** Why the last attempt failed. The data of an earlier one stays. */
  readonly error?: unknown;
  readonly reload: () => void;
}

/** Reads once, and again whenever events may have been missed, or `reload` is called. */
export function useReading<K extends keyof Answers>(
  what: K,
  query: Query = {},
): Reading<Answers[K]> {
  const live = useLive();
  const url = apiUrl(what, query);
  const [state, setState] = useState<{ url: string; data?: Answers[K]; error?: unknown }>({ url });
  // The query is what its address says; an object is a new one each time.
  const latest = useRef(query);
  latest.current = query;
  const running = useRef<AbortController>(undefined);

  const reload = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    read(what, latest.current, controller.signal).then(
      (data) => !controller.signal.aborted && setState({ url, data }),
      (error) =>
        !controller.signal.aborted &&
        setState((before) => (before.url === url ? { ...before, error } : { url, error })),
    );
  }, [what, url]);

  useEffect(() => {
    const end = live.whenStale(reload);
    return () => {
      end();
      running.current?.abort();
    };
  }, [live, reload]);

  return state.url === url ? { ...state, reload } : { reload };
}
