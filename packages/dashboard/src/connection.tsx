import { useEffect, useState } from "react";
import { Button } from "./ui/button.tsx";
import { useLive, useLiveStatus } from "./ui/live-context.tsx";

/** Whether what is seen is what is. */
export function Connection() {
  const live = useLive();
  const status = useLiveStatus();
  switch (status.kind) {
    case "connecting":
      return (
        <output className="connection" data-kind="connecting">
          Connecting…
        </output>
      );
    case "open":
      return (
        <output className="connection" data-kind="open" title="Changes are shown as they happen">
          <i className="dot" />
          Live
        </output>
      );
    case "down":
      return (
        <output className="connection" data-kind="down">
          <i className="dot" />
          Not connected
          <span className="quiet">
            <Countdown until={status.nextAt} />
          </span>
          <Button
            look="bare"
            icon="retry"
            aria-label="Connect now"
            onClick={() => live.retryNow()}
          />
        </output>
      );
  }
}

function Countdown({ until }: { readonly until: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((until - now) / 1_000);
  return seconds > 0 ? `trying again in ${seconds} s` : "trying again…";
}
