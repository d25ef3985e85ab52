import { number } from "../model/format.ts";
import type { Count } from "../model/tally.ts";

/** A bar with a part for each status. */
export function TallyBar({ counts }: { readonly counts: readonly Count[] }) {
  const label = counts.map(({ status, count }) => `${number(count)} ${status}`).join(", ");
  return (
    <span className="tally-bar" role="img" aria-label={label} title={label}>
      {counts.map(({ status, count }) => (
        <i key={status} data-status={status} style={{ flexGrow: count }} />
      ))}
    </span>
  );
}

/** The same in words. */
export function TallyWords({ counts }: { readonly counts: readonly Count[] }) {
  return (
    <span className="tally">
      {counts.map(({ status, count }) => (
        <span key={status} className="status" data-status={status}>
          <i className="dot" />
          {number(count)} {status}
        </span>
      ))}
    </span>
  );
}
