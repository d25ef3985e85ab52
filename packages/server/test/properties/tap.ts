/**
 * Lets a test see every micro-step that the engine takes. A test file puts it between the engine and the handlers:
 *
 *     vi.mock("../../src/core/handlers.ts", async (original) => tapped(await original()));
 */
import type * as Handlers from "../../src/core/handlers.ts";
import type { Effects, Handler, StepKind } from "../../src/core/step.ts";

export type Observer = (kind: StepKind, at: number, effects: Effects) => void;

let observer: Observer | undefined;

/** Runs `work` while `see` is told of every micro-step, in order, before its changes are recorded. */
export async function observed<T>(see: Observer, work: () => Promise<T>): Promise<T> {
  const before = observer;
  observer = see;
  try {
    return await work();
  } finally {
    observer = before;
  }
}

export function tapped(original: typeof Handlers): typeof Handlers {
  return {
    handlerFor: <K extends StepKind>(kind: K): Handler<K> => {
      const handler = original.handlerFor(kind);
      return {
        ...handler,
        apply(data, world, head) {
          const effects = handler.apply(data, world, head);
          observer?.(kind, world.at, effects);
          return effects;
        },
      };
    },
  };
}
