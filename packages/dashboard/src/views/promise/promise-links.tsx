import { number } from "../../model/format.ts";
import { nameOf, shortId } from "../../model/names.ts";
import { statusOf } from "../../model/status.ts";
import { RunLink } from "../../ui/run-link.tsx";
import type { Scene } from "../run/scene.ts";

interface Props {
  readonly title: string;
  readonly ids: readonly string[];
  readonly scene: Scene;
}

/** More would push everything else out of sight. */
const SHOWN_MAX = 8;

/** Other promises: those of this run are selected, others are gone to. */
/** To one of this run, which is then selected, or to one of another. */
export function PromiseLinks({ title, ids, scene }: Props) {
  if (ids.length === 0) return null;
  const rest = ids.length - SHOWN_MAX;
  return (
    <section>
      <h3>{title}</h3>
      <ul className="ids">
        {ids.slice(0, SHOWN_MAX).map((id) => (
          <li key={id}>
            <PromiseLink id={id} scene={scene} />
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="quiet">and {number(rest)} more</p>}
    </section>
  );
}

/** To one of this run, which is then selected, or to one of another. */
export function PromiseLink({ id, scene }: { readonly id: string; readonly scene: Scene }) {
  const node = scene.run.nodes.get(id);
  if (!node) return <RunLink id={id} />;
  return (
    <button type="button" className="promise-link" onClick={() => scene.select(id)}>
      <span className="status" data-status={statusOf(node)}>
        <i className="dot" />
      </span>
      <span className="func cut">{nameOf(node)}</span>
      <span className="id cut">{shortId(id, scene.run.root)}</span>
    </button>
  );
}
