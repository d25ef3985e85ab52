import { PROTOCOL_VERSION, type Request, type Tags } from "@resonate-ts/protocol";
import { expect, test } from "vitest";
import { type Engine, openEngine } from "../../src/index.ts";

const head = { corrId: "c", version: PROTOCOL_VERSION };
const create = (id: string, tags: Tags = {}): Request => ({
  kind: "promise.create",
  head,
  data: { id, timeoutAt: 8e15, param: {}, tags },
});
const called = { "resonate:caller": "r" };

async function byCaller(engine: Engine): Promise<unknown> {
  const data = { tags: called, limit: 10 };
  const [answer] = await engine.process([{ kind: "promise.search", head, data }]);
  const page = answer?.data as { promises: { id: string }[]; cursor?: string };
  return { ids: page.promises.map(({ id }) => id), more: page.cursor !== undefined };
}

test("what one promise called is found at once among any number of others", async () => {
  const engine = await openEngine();
  const others = Array.from({ length: 20_001 }, (_, at) => create(`p${at}`));
  await engine.process([...others, create("z", called)]);

  const found = await byCaller(engine);
  await engine.close();

  // Looking at rows one page would end before it.
  expect(found).toEqual({ ids: ["z"], more: false });
});
