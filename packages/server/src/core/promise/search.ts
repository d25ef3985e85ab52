import { idOfCursor } from "../cursor.ts";
import { refuse } from "../replies.ts";
import type { Handler } from "../step.ts";

export const searchPromises: Handler<"promise.search"> = {
  keys: () => ({}),

  apply({ state, tags, idPrefix, limit, cursor }) {
    const after = cursor === undefined ? undefined : idOfCursor(cursor);
    if (cursor !== undefined && after === undefined) return badCursor;
    const page = { limit, ...(after === undefined ? {} : { after }) };
    const search = { kind: "promises", state, tags, idPrefix, ...page } as const;
    return { reply: { status: 200, data: {}, search } };
  },
};

export const badCursor = refuse(400, "cursor: is not one that this server gave");
