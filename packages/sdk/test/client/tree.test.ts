import { TAG, type Tags } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Promises } from "../../src/client/promises.ts";
import type { TreeNode } from "../../src/client/tree.ts";
import { createCodec } from "../../src/codec/json-codec.ts";
import { isResonateError } from "../../src/errors.ts";
import { EmbeddedNetwork } from "../../src/network/embedded.ts";

const LATER = 4_000_000_000_000;
const TARGET = { [TAG.target]: "poll://any@nobody" };

let network: EmbeddedNetwork;
let promises: Promises;
beforeEach(() => {
  network = new EmbeddedNetwork({ group: "g", pid: "p" });
  promises = new Promises({ network, codec: createCodec() });
});
afterEach(() => network.stop());

const lineage = (origin: string, parent: string, branch = parent): Tags => ({
  [TAG.origin]: origin,
  [TAG.parent]: parent,
  [TAG.branch]: branch,
});

const root = (id: string, func = "main") =>
  promises.createValue(id, LATER, {
    param: { func, args: [], version: 1 },
    tags: { ...lineage(id, id), ...TARGET },
  });

const child = (id: string, tags: Tags, func?: string) =>
  promises.createValue(id, LATER, { param: func && { func, version: 1 }, tags });

/** A tree as nested lists of what is to be seen. */
function shape(node: TreeNode): unknown {
  const line = [
    node.id,
    node.kind,
    node.func ?? "-",
    node.state,
    ...(node.shared ? ["shared"] : []),
  ];
  return node.children.length === 0 ? [line.join(" ")] : [line.join(" "), node.children.map(shape)];
}

describe("a tree", () => {
  test("holds every kind of child under the promise that started it, in order", async () => {
    await root("r");
    for (let i = 0; i < 11; i++) {
      await child(`r:${i}`, { ...lineage("r", "r"), [TAG.scope]: "local" }, `step${i}`);
    }
    await child("r:11", { ...lineage("r", "r", "r:11"), ...TARGET }, "remote");
    await child("r:12", { ...lineage("r", "r", "r:12"), [TAG.timer]: "true" });
    await child("r:13", lineage("r", "r", "r:13"));
    await child("r:11.0", { ...lineage("r", "r:11"), [TAG.scope]: "local" }, "deep");
    await promises.resolveValue("r:0", 1);

    const tree = await promises.tree("r");

    expect(shape(tree)).toEqual([
      "r root main pending",
      [
        ["r:0 run step0 resolved"],
        ...Array.from({ length: 10 }, (_, i) => [`r:${i + 1} run step${i + 1} pending`]),
        ["r:11 rpc remote pending", [["r:11.0 run deep pending"]]],
        ["r:12 sleep - pending"],
        ["r:13 promise - pending"],
      ],
    ]);
    expect(tree.children[0]?.settledAt).toBeGreaterThanOrEqual(tree.createdAt);
    expect(tree.settledAt).toBeUndefined();
    expect(tree.truncated).toBeUndefined();
  });

  test("follows children with ids of their own, at any depth", async () => {
    const own = (id: string, caller: string) =>
      child(id, { ...lineage(id, id), ...TARGET, [TAG.caller]: caller }, "factorial");
    await root("factorial-3", "factorial");
    await own("factorial-2", "factorial-3");
    await own("factorial-1", "factorial-2");

    expect(shape(await promises.tree("factorial-3"))).toEqual([
      "factorial-3 root factorial pending",
      [
        [
          "factorial-2 rpc factorial pending shared",
          [["factorial-1 rpc factorial pending shared"]],
        ],
      ],
    ]);
  });

  test("is cut where ids call each other in a circle", async () => {
    const own = (id: string, caller: string) =>
      child(id, { ...lineage(id, id), ...TARGET, [TAG.caller]: caller }, "f");
    await own("a", "b");
    await own("b", "a");

    expect(shape(await promises.tree("a"))).toEqual([
      "a rpc f pending shared",
      [["b rpc f pending shared"]],
    ]);
  });

  test("of a child holds what is below it only", async () => {
    await root("r");
    await child("r:0", { ...lineage("r", "r", "r:0"), ...TARGET }, "f");
    await child("r:0.0", { ...lineage("r", "r:0"), [TAG.scope]: "local" }, "g");
    await child("r:1", lineage("r", "r", "r:1"));

    expect(shape(await promises.tree("r:0"))).toEqual([
      "r:0 rpc f pending",
      [["r:0.0 run g pending"]],
    ]);
  });

  test("of a promise without tags is that promise", async () => {
    await promises.create("alone", LATER, { data: "not base64 of JSON" });

    expect(shape(await promises.tree("alone"))).toEqual(["alone root - pending"]);
  });

  test("of an id that does not exist is refused with 404", async () => {
    const error: unknown = await promises.tree("nothing").catch((thrown) => thrown);

    expect(isResonateError(error, "SERVER_REFUSED")).toBe(true);
    expect(error).toMatchObject({ status: 404, requestKind: "promise.get" });
  });
});
