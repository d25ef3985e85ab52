import { MEANINGS, type Status } from "../model/status.ts";

export function StatusBadge({ status }: { readonly status: Status }) {
  return (
    <span className="status" data-status={status} title={MEANINGS[status]}>
      <i className="dot" />
      {status}
    </span>
  );
}
