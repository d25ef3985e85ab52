import type { ExecutionNode, PromiseDetail } from "@resonate-ts/protocol";
import type { ReactNode } from "react";
import { duration, exactTime } from "../../model/format.ts";
import { RichText } from "../../ui/rich-text.tsx";
import { WorkerName } from "../../ui/worker-name.tsx";
import type { Scene } from "../run/scene.ts";
import { PromiseLink } from "./promise-links.tsx";

interface Props {
  readonly detail: PromiseDetail;
  readonly node: ExecutionNode;
  readonly scene: Scene;
}

/** Everything else that is on record. */
export function Facts({ detail: { promise, task }, node, scene }: Props) {
  const worker = scene.workers.get(node.id);
  const { createdAt, settledAt, timeoutAt, tags } = promise;
  return (
    <section>
      <h3>On record</h3>
      <dl className="facts">
        {worker !== undefined && (
          <Fact name="Worker">
            <WorkerName name={worker} />
          </Fact>
        )}
        {node.func !== undefined && (
          <Fact name="Function">
            {node.func} <span className="quiet">version {node.version ?? 1}</span>
          </Fact>
        )}
        <Fact name="Created">{exactTime(createdAt)}</Fact>
        {settledAt !== undefined && <Fact name="Settled">{exactTime(settledAt)}</Fact>}
        <Fact name="Deadline">
          {exactTime(timeoutAt)}{" "}
          <span className="quiet">{duration(timeoutAt - createdAt)} after its creation</span>
        </Fact>
        {node.target !== undefined && (
          <Fact name="Target">
            <RichText text={node.target} />
          </Fact>
        )}
        {task && (
          <>
            <Fact name="Task">
              {task.state} <span className="quiet">claimed {times(task.version)}</span>
            </Fact>
            {task.ttl !== undefined && <Fact name="Lease">{duration(task.ttl)}</Fact>}
            {task.failures !== undefined && (
              <Fact name="Failed claims">{task.failures} in a row</Fact>
            )}
            {task.cause !== undefined && <Fact name="Last cause">{task.cause}</Fact>}
          </>
        )}
        {node.parent !== undefined && (
          <Fact name="Started by">
            <PromiseLink id={node.parent} scene={scene} />
          </Fact>
        )}
      </dl>
      {Object.keys(tags).length > 0 && (
        <>
          <h3>Tags</h3>
          <dl className="facts">
            {Object.entries(tags).map(([name, value]) => (
              <Fact key={name} name={name}>
                <span className="id">{value}</span>
              </Fact>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function times(count: number): string {
  if (count === 0) return "never";
  return count === 1 ? "once" : `${count} times`;
}
