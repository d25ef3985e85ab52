import { act } from "../api/act.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Problem } from "../ui/empty.tsx";
import { useAction } from "./use-action.ts";

interface Props {
  readonly id: string;
  /** Why it was halted, if that was said. */
  readonly cause?: string | undefined;
  readonly onClose: () => void;
}

/** Asks whether something that was given up is to go on. */
export function RetryDialog({ id, cause, onClose }: Props) {
  const go = async () => {
    await act("task.continue", { id });
  };
  const { busy, error, start } = useAction(go, onClose);
  return (
    <Dialog title="Try this again?" onClose={onClose}>
      <p className="id whole">{id}</p>
      <p className="quiet">
        It is offered to workers again. What it has done is on record and is not done again.
      </p>
      {cause !== undefined && <pre className="payload">{cause}</pre>}
      {error !== undefined && <Problem error={error} />}
      <footer>
        <Button onClick={onClose}>Not now</Button>
        <Button look="primary" icon="retry" disabled={busy} onClick={start}>
          {busy ? "Retrying…" : "Retry it"}
        </Button>
      </footer>
    </Dialog>
  );
}
