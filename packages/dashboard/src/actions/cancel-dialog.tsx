import { useState } from "react";
import { act } from "../api/act.ts";
import { pendingBelow } from "../model/cancel-tree.ts";
import { number } from "../model/format.ts";
import type { Run } from "../model/run.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Problem } from "../ui/empty.tsx";
import { useAction } from "./use-action.ts";

interface Props {
  readonly id: string;
  readonly run: Run;
  readonly onClose: () => void;
}

/** Requests under way at a time, when much is canceled. */
const AT_A_TIME = 16;

/** Asks whether a promise is to be canceled, and what of it. */
export function CancelDialog({ id, run, onClose }: Props) {
  const below = pendingBelow(run, id).length;
  const [all, setAll] = useState(true);
  const { busy, error, start } = useAction(() => cancel(id, all ? run : undefined), onClose);
  return (
    <Dialog title="Cancel this?" onClose={onClose}>
      <p className="id whole">{id}</p>
      <p className="quiet">
        Whoever works on it is told to stop, and whoever waits for it gets an error. This cannot be
        undone.
      </p>
      {below > 0 && (
        <label className="choice">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          <span>
            and what is pending below it ({number(below)}). What has an id of its own goes on, since
            others may wait for it.
          </span>
        </label>
      )}
      {error !== undefined && <Problem error={error} />}
      <footer>
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" icon="stop" disabled={busy} onClick={start}>
          {busy ? "Canceling…" : "Cancel it"}
        </Button>
      </footer>
    </Dialog>
  );
}

/** From the top, so that nothing new is started meanwhile by what is about to be canceled. */
async function cancel(id: string, run: Run | undefined): Promise<void> {
  await settle(id);
  const below = run ? pendingBelow(run, id) : [];
  for (let at = 0; at < below.length; at += AT_A_TIME) {
    await Promise.all(below.slice(at, at + AT_A_TIME).map(settle));
  }
}

async function settle(id: string): Promise<void> {
  await act("promise.settle", { id, state: "rejected_canceled", value: {} });
}
