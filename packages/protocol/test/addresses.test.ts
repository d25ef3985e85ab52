import { describe, expect, test } from "vitest";
import { addressProblem, anycast, parseAddress, unicast } from "../src/addresses.ts";

describe("an address", () => {
  test.each([
    ["poll://any@g", { kind: "poll", cast: "any", group: "g" }],
    ["poll://any@g/", { kind: "poll", cast: "any", group: "g" }],
    ["poll://any@g/p", { kind: "poll", cast: "any", group: "g", id: "p" }],
    ["poll://uni@g/p", { kind: "poll", cast: "uni", group: "g", id: "p" }],
    ["poll://uni@g", { kind: "poll", cast: "uni", group: "g" }],
    ["poll://any@my%20group/%C3%BC%2F", { kind: "poll", cast: "any", group: "my group", id: "ü/" }],
    ["poll://any@G/P", { kind: "poll", cast: "any", group: "G", id: "P" }],
    ["poll://any@50%", { kind: "poll", cast: "any", group: "50%" }],
    ["https://host/path?x=1", { kind: "push", url: "https://host/path?x=1" }],
    ["http://host:1", { kind: "push", url: "http://host:1" }],
    ["gcps://project/topic", { kind: "other", scheme: "gcps" }],
    ["bash://", { kind: "other", scheme: "bash" }],
    ["bash://docker/image", { kind: "other", scheme: "bash" }],
  ])("%s is read", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(addressProblem(text)).toBeUndefined();
  });

  test.each([
    "",
    "g",
    "default",
    "poll://default",
    "poll://any@",
    "poll://all@g",
    "poll://ANY@g",
    "poll:any@g",
    "poll://user:any@g",
    "gcps://project",
    "gcps://project/",
    "ftp://host",
    "nats://group",
    "local://any@g/p",
    "//host",
    "javascript:alert(1)",
  ])("'%s' is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(addressProblem(text)).toContain(`got '${text}'`);
  });
});

test.each(["g", "my group", "ü/%", "a?b#c"])("the address of group '%s' is read back", (group) => {
  expect(parseAddress(unicast(group, group))).toEqual({
    kind: "poll",
    cast: "uni",
    group,
    id: group,
  });
  expect(parseAddress(anycast(group, group))).toEqual({
    kind: "poll",
    cast: "any",
    group,
    id: group,
  });
  expect(parseAddress(anycast(group))).toEqual({ kind: "poll", cast: "any", group });
});
