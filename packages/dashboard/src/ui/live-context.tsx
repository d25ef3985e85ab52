/** Gives what is below it the stream of events, and says how it is doing. */
import type { DashboardEvent } from "@resonate-ts/protocol";
import {
  createContext,
  type ReactNode,
  use,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import { Live, type LiveStatus } from "../api/live.ts";

const LiveContext = createContext<Live>(new Live());

/** To be given the id as its `key`, too: another run is another stream. */
export function LiveProvider({
  id,
  children,
}: {
  readonly id?: string;
  readonly children: ReactNode;
}) {
  const [live] = useState(() => new Live(id));
  useEffect(() => {
    void live.run();
    return () => live.close();
  }, [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): Live {
  return use(LiveContext);
}

export function useLiveStatus(): LiveStatus {
  const live = useLive();
  return useSyncExternalStore(live.watch, () => live.status);
}

/** Calls back with each event. The callback must stay the same, or it is registered again. */
export function useEvents(listener: (event: DashboardEvent) => void): void {
  const live = useLive();
  useEffect(() => live.listen(listener), [live, listener]);
}
