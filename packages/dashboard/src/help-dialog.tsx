import { MEANINGS, STATUSES } from "./model/status.ts";
import { Dialog } from "./ui/dialog.tsx";
import { StatusBadge } from "./ui/status-badge.tsx";

const KEYS: readonly {
  readonly place: string;
  readonly keys: readonly (readonly [string, string])[];
}[] = [
  {
    place: "Everywhere",
    keys: [
      ["1 2 3", "overview, executions, schedules"],
      ["i", "invoke a function"],
      ["t", "theme: of the system, light, dark"],
      ["?", "this help"],
      ["Esc", "close, clear, or go back"],
    ],
  },
  {
    place: "Lists and timelines",
    keys: [
      ["/", "search"],
      ["j k", "next and previous row"],
      ["Enter", "open"],
    ],
  },
  {
    place: "A run",
    keys: [
      ["g", "graph or timeline"],
      ["j k", "next and previous in the order of the calls"],
      ["← →", "what started it, and what it started"],
      ["↑ ↓", "its siblings"],
      ["Enter", "show it apart from its like siblings, and back"],
      ["+ − 0", "zoom in, out, and to fit"],
      ["c", "colour by worker or by status"],
      ["x", "cancel"],
      ["r", "retry what is halted"],
    ],
  },
];

/** The keys, and the words. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys and words" width="wide" onClose={onClose}>
      <div className="help">
        <div>
          {KEYS.map(({ place, keys }) => (
            <section key={place}>
              <h3>{place}</h3>
              <dl className="keys">
                {keys.map(([key, what]) => (
                  <div key={key}>
                    <dt>
                      {key.split(" ").map((one) => (
                        <kbd key={one}>{one}</kbd>
                      ))}
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <section>
          <h3>What it is doing</h3>
          <dl className="keys">
            {STATUSES.map((status) => (
              <div key={status}>
                <dt>
                  <StatusBadge status={status} />
                </dt>
                <dd>{MEANINGS[status]}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
