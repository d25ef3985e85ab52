/** All of one promise: why it does not move, what came in and out, who waits for whom. */
import type { ExecutionNode, PromiseDetail } from "@resonate-ts/protocol";
import { isDetachedId } from "@resonate-ts/protocol";
import { KIND_MEANINGS, nameOf } from "../../model/names.ts";
import { isSettled, statusOf } from "../../model/status.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Problem } from "../../ui/empty.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { Took } from "../../ui/took.tsx";
import { useReading } from "../../ui/use-reading.ts";
import { useThrottled } from "../../ui/use-throttled.ts";
import type { Scene } from "../run/scene.ts";
import { Facts } from "./facts.tsx";
import { Payload } from "./payload.tsx";
import { PromiseLinks } from "./promise-links.tsx";
import { WhyPanel } from "./why-panel.tsx";

interface Props {
  /** As the run shows it: known at once, and always up to date. */
  readonly node: ExecutionNode;
  readonly scene: Scene;
  readonly onCancel: () => void;
  readonly onRetry: (cause?: string) => void;
}

/** What changes comes with events; its details are read again, but not more often. */
const READ_EVERY_MS = 500;

export function PromisePanel({ node, scene, onCancel, onRetry }: Props) {
  const { id, kind, task, state } = node;
  const { data, error, reload } = useReading("promise", { id });
  useThrottled(`${state} ${task?.state} ${task?.version}`, READ_EVERY_MS, reload);
  const status = statusOf(node);
  return (
    <aside className="panel" aria-label="Promise">
      <header>
        <h2>
          <span className="cut">{nameOf(node)}</span>
          <StatusBadge status={status} />
          <Took node={node} />
        </h2>
        <p className="id whole">
          {id}
          <CopyButton text={id} label="Copy the id" />
        </p>
        <p className="quiet">
          {sentence(KIND_MEANINGS[kind])}
          {node.shared && ", with an id of its own: others may use it too"}
          {isDetachedId(id) && ", detached from what started it"}.
        </p>
        <div className="actions">
          {status === "halted" && (
            <Button look="primary" icon="retry" onClick={() => onRetry(data?.task?.cause)}>
              Retry
            </Button>
          )}
          {!isSettled(node) && (
            <Button icon="stop" onClick={onCancel}>
              Cancel
            </Button>
          )}
        </div>
      </header>
      {!isSettled(node) && <WhyPanel id={id} scene={scene} />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data && <Details data={data} node={node} scene={scene} />}
    </aside>
  );
}

interface DetailsProps {
  readonly data: PromiseDetail;
  readonly node: ExecutionNode;
  readonly scene: Scene;
}

function Details({ data, node, scene }: DetailsProps) {
  const { promise, paramText, valueText, cut = {}, awaiters, listeners, awaits } = data;
  const failed = promise.state === "rejected";
  return (
    <>
      {isSettled(promise) && (
        <Payload
          title={failed ? "Error" : "Result"}
          value={promise.value}
          text={valueText}
          bytes={node.valueBytes}
          cutFrom={cut.value}
          alarm={failed}
        />
      )}
      <Payload
        title="Input"
        value={promise.param}
        text={paramText}
        bytes={node.paramBytes}
        cutFrom={cut.param}
      />
      <PromiseLinks title="It waits for" ids={awaits} scene={scene} />
      <PromiseLinks title="Waited for by" ids={awaiters} scene={scene} />
      <Facts detail={data} node={node} scene={scene} />
      {listeners.length > 0 && (
        <section>
          <h3>Who is told when it ends</h3>
          <ul className="ids">
            {listeners.map((listener) => (
              <li key={listener} className="id">
                {listener}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
