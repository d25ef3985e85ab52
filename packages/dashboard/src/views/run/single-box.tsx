import type { Single } from "../../model/display-tree.ts";
import { number } from "../../model/format.ts";
import { KIND_MEANINGS, nameOf, shortId } from "../../model/names.ts";
import { statusOf } from "../../model/status.ts";
import { Icon } from "../../ui/icon.tsx";
import { Took } from "../../ui/took.tsx";
import type { Scene } from "./scene.ts";

/** One promise as a box. */
export function SingleBox({ display, scene }: { readonly display: Single; readonly scene: Scene }) {
  const { node, folded } = display;
  const { id, kind, shared, task } = node;
  const status = statusOf(node);
  return (
    <>
      <span className="kind" title={KIND_MEANINGS[kind]}>
        <Icon name={kind} />
      </span>
      <span className="name">
        <b className="cut">{nameOf(node)}</b>
        <small className="id cut">{shortId(id, scene.run.root)}</small>
      </span>
      <span className="state">
        <span className="status" data-status={status}>
          <i className="dot" />
          {status}
        </span>
        <small>
          {shared && (
            <span className="badge" title="It has an id of its own: others may use it too">
              <Icon name="shared" />
            </span>
          )}
          {(task?.failures ?? 0) > 0 && (
            <span className="badge" title="Claims that ended without a result">
              ↻ {task?.failures}
            </span>
          )}
          {folded > 0 && (
            <span title="Promises below it that are not drawn">+{number(folded)}</span>
          )}
          <Took node={node} />
        </small>
      </span>
    </>
  );
}
