import type { Worker, WorkerGroup } from "@resonate-ts/protocol";
import { counted, duration, relative } from "../../model/format.ts";
import { WorkerName } from "../../ui/worker-name.tsx";

interface Props {
  readonly groups: readonly WorkerGroup[];
  /** By the server's clock. */
  readonly now: number;
}

export function Groups({ groups, now }: Props) {
  return (
    <div className="groups">
      {groups.map((group) => (
        <Group key={group.group} group={group} now={now} />
      ))}
    </div>
  );
}

function Group({ group, now }: { readonly group: WorkerGroup; readonly now: number }) {
  const { pending, oldestPendingAt, workers } = group;
  const stuck = pending.count > 0 && workers.length === 0;
  return (
    <section className="card group" data-alarm={stuck || undefined}>
      <header>
        <h3 className="cut" title={group.group}>
          {group.group}
        </h3>
        <span className="quiet">
          {workers.length} {workers.length === 1 ? "worker" : "workers"}
        </span>
        <span className={pending.count > 0 ? "" : "quiet"}>
          {counted(pending)} queued
          {oldestPendingAt !== undefined && `, the first for ${duration(now - oldestPendingAt)}`}
        </span>
      </header>
      {stuck && <p className="problem">Work waits, and no worker of this group is connected.</p>}
      {workers.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Worker</th>
              <th>Holds</th>
              <th>Functions</th>
              <th>Connected</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <WorkerRow key={worker.id} worker={worker} now={now} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function WorkerRow({ worker, now }: { readonly worker: Worker; readonly now: number }) {
  const { id, holds, slots, functions, connectedAt } = worker;
  return (
    <tr>
      <td>
        <WorkerName name={id} />
      </td>
      <td className="holds">
        <span>
          <span className="count">
            <b>{holds}</b>
            {slots !== undefined && <span className="quiet"> of {slots}</span>}
          </span>
          {slots !== undefined && (
            <span className="share">
              <i style={{ width: `${Math.min(1, holds / Math.max(1, slots)) * 100}%` }} />
            </span>
          )}
        </span>
      </td>
      <td className="functions">
        {functions === undefined && <span className="quiet">not announced</span>}
        {functions?.map(({ name, versions }) => (
          <code key={name} title={`${name}, version ${versions.join(", ")}`}>
            {name}
            {versions.some((version) => version !== 1) && <small> v{versions.join(", ")}</small>}
          </code>
        ))}
      </td>
      <td className="quiet">
        {connectedAt === undefined ? "to another server" : relative(connectedAt, now)}
      </td>
    </tr>
  );
}
