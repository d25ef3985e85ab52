import { expect, test } from "vitest";
import {
  EMPTY_LIST,
  type ExecutionFilter,
  withExecutions,
  withFresh,
  withPage,
} from "../src/model/execution-list.ts";
import { call, done, NOW, root } from "./made.ts";

const ANY: ExecutionFilter = { state: "", idPrefix: "", func: "" };
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

const b = root("b", { createdAt: NOW + 1 });
const a = root("a", { createdAt: NOW });
const list = withPage(EMPTY_LIST, { executions: [b, a], cursor: "next" });

test("pages follow each other, and what is on two of them is there once", () => {
  const next = withPage(list, { executions: [a, root("z", { createdAt: NOW - 1 })] });

  expect(ids(next.rows)).toEqual(["b", "a", "z"]);
  expect(next.cursor).toBeUndefined();
});

test("a new run waits until it may be shown, and then comes first", () => {
  const told = withExecutions(list, [root("c", { createdAt: NOW + 2 })], ANY);

  expect(ids(told.rows)).toEqual(["b", "a"]);
  expect(ids(told.fresh)).toEqual(["c"]);
  expect(ids(withFresh(told).rows)).toEqual(["c", "b", "a"]);
});

test("a change is shown in its place", () => {
  const told = withExecutions(list, [done(a)], ANY);

  expect(told.rows.map(({ state }) => state)).toEqual(["pending", "resolved"]);
  expect(told.fresh).toEqual([]);
});

test("what the filter is not for leaves, and what it is not for does not come", () => {
  const pending = { ...ANY, state: "pending" };
  const news = [root("abc"), done(root("abd")), root("xbc")];

  expect(ids(withExecutions(list, [done(a)], pending).rows)).toEqual(["b"]);
  expect(ids(withExecutions(EMPTY_LIST, news, { ...pending, idPrefix: "a" }).fresh)).toEqual([
    "abc",
  ]);
});

test("an older run that changes is not taken for a new one", () => {
  expect(withExecutions(list, [done(root("old", { createdAt: NOW - 9 }))], ANY).fresh).toEqual([]);
});

test("halted is a state of its own", () => {
  const halted = { ...call("h", "r", { state: "halted" }), createdAt: NOW + 9 };
  const other = root("p", { createdAt: NOW + 9 });

  expect(ids(withExecutions(list, [halted, other], { ...ANY, state: "halted" }).fresh)).toEqual([
    "h",
  ]);
});
