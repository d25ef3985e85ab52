import type { Reason, Why } from "@resonate-ts/protocol";
import { relative } from "../../model/format.ts";
import { Problem } from "../../ui/empty.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useReading } from "../../ui/use-reading.ts";
import { useThrottled } from "../../ui/use-throttled.ts";
import type { Scene } from "../run/scene.ts";
import { PromiseLink } from "./promise-links.tsx";

interface Props {
  readonly id: string;
  /** When the run changes, the reasons may have. */
  readonly scene: Scene;
}

const READ_EVERY_MS = 1_000;
const IDS_MAX = 5;

const VERDICTS: Readonly<Record<Why["verdict"], string>> = {
  settled: "It has ended",
  running: "It is running",
  waiting: "It is waiting, as it should",
  stuck: "It is stuck",
};

/** Why something that is not settled does not move. */
export function WhyPanel({ id, scene }: Props) {
  const { data, error, reload } = useReading("why", { id });
  useThrottled(scene.run, READ_EVERY_MS, reload);
  const now = useNow(1_000);
  return (
    <section className="why" data-verdict={data?.verdict}>
      <h3>{data ? VERDICTS[data.verdict] : "Why does it not move?"}</h3>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      <ul>
        {data?.reasons.map((reason) => (
          <ReasonLine
            key={`${reason.code} ${reason.text}`}
            reason={reason}
            now={now}
            scene={scene}
          />
        ))}
      </ul>
    </section>
  );
}

interface LineProps extends Pick<Props, "scene"> {
  readonly reason: Reason;
  readonly now: number;
}

function ReasonLine({ reason: { text, ids = [], until }, now, scene }: LineProps) {
  return (
    <li>
      {text}
      {until !== undefined && <span className="quiet"> ({relative(until, now)})</span>}
      {ids.slice(0, IDS_MAX).map((id) => (
        <PromiseLink key={id} id={id} scene={scene} />
      ))}
      {ids.length > IDS_MAX && <span className="quiet">and {ids.length - IDS_MAX} more</span>}
    </li>
  );
}
