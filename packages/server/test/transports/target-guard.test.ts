import { describe, expect, test } from "vitest";
import {
  hostOf,
  TargetGuard,
  type TargetGuardOptions,
  TargetRefusedError,
} from "../../src/transports/target-guard.ts";

/** Whether a URL may be called whose host, where it is a name, leads to `addresses`. */
function judge(text: string, options: TargetGuardOptions = {}, addresses: string[] = []): boolean {
  const guard = new TargetGuard(options);
  const url = new URL(text);
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  try {
    guard.check(url);
    if (found.length > 0) guard.filter(hostOf(url), found);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(TargetRefusedError);
    return false;
  }
}

describe("without any permission", () => {
  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://user@example.com/",
    "http://:secret@example.com/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:6379/",
    "http://example.com:5432/",
  ])("%s must not be called", (url) => {
    expect(judge(url)).toBe(false);
  });

  test.each([
    ["http://localhost/", "127.0.0.1"],
    ["http://localhost./", "::1"],
    ["http://metadata.google.internal/", "169.254.169.254"],
    ["https://intern.example.com/", "10.1.2.3"],
    ["https://bücher.example/", "192.168.0.1"],
    ["https://nowhere.example/", "0.0.0.0"],
    ["https://six.example/", "::ffff:127.0.0.1"],
  ])("%s, which leads to %s, must not be called", (url, address) => {
    expect(judge(url, {}, [address])).toBe(false);
  });

  test.each([
    "http://93.184.215.14/",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x",
    "https://example.com/a?b=c",
    "http://example.com:8080/",
    "https://example.com:443/",
  ])("%s may be called", (url) => {
    expect(judge(url)).toBe(true);
  });

  test("of a name's addresses the public ones are left", () => {
    const addresses = ["10.0.0.1", "93.184.215.14", "::1"].map((address) => ({
      address,
      family: 4,
    }));

    expect(new TargetGuard().filter("example.com", addresses)).toEqual([addresses[1]]);
  });
});

describe("with permission", () => {
  test("for loopback, programs on this machine may be called and nothing else", () => {
    const options = { allowLoopback: true };

    expect(judge("http://127.0.0.1:3000/", options)).toBe(true);
    expect(judge("http://[::1]:3000/", options)).toBe(true);
    expect(judge("http://localhost:3000/", options, ["127.0.0.1"])).toBe(true);
    expect(judge("http://127.0.0.1:6379/", options)).toBe(false);
    expect(judge("http://0.0.0.0:3000/", options)).toBe(false);
    expect(judge("http://10.0.0.1/", options)).toBe(false);
  });

  test("for a name, it may lead anywhere and have any port; others that lead there may not", () => {
    const options = { allowTargets: ["Intern.Example.com"] };

    expect(judge("http://intern.example.com:22/", options, ["10.0.0.1"])).toBe(true);
    expect(judge("http://intern.example.com./", options, ["10.0.0.1"])).toBe(true);
    expect(judge("http://sub.intern.example.com/", options, ["10.0.0.1"])).toBe(false);
    expect(judge("http://10.0.0.1/", options)).toBe(false);
  });

  test("for an address or a range, names that lead there may be called too", () => {
    const options = { allowTargets: ["10.1.0.0/16", "192.168.0.7", "fd00::/8"] };

    expect(judge("http://10.1.255.255/", options)).toBe(true);
    expect(judge("http://[::ffff:10.1.0.1]/", options)).toBe(true);
    expect(judge("http://a.example/", options, ["10.1.0.1"])).toBe(true);
    expect(judge("http://192.168.0.7/", options)).toBe(true);
    expect(judge("http://[fd12::1]/", options)).toBe(true);
    expect(judge("http://10.2.0.1/", options)).toBe(false);
    expect(judge("http://192.168.0.8/", options)).toBe(false);
  });

  test.each(["http://example.com", "a b", "10.0.0.0/99", "", "example.com:80"])(
    "an entry '%s' cannot be read, and is an error",
    (entry) => {
      expect(() => new TargetGuard({ allowTargets: [entry] })).toThrow(TypeError);
    },
  );
});
