import { idOfCursor } from "../cursor.ts";
import { badCursor } from "../promise/search.ts";
import type { Handler } from "../step.ts";

export const searchSchedules: Handler<"schedule.search"> = {
  keys: () => ({}),

  apply({ tags, limit, cursor }) {
    const after = cursor === undefined ? undefined : idOfCursor(cursor);
    if (cursor !== undefined && after === undefined) return badCursor;
    const page = { limit, ...(after === undefined ? {} : { after }) };
    return { reply: { status: 200, data: {}, search: { kind: "schedules", tags, ...page } } };
  },
};
