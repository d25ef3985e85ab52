import { expect, test } from "vitest";
import { readSettings } from "../src/settings.ts";

test("without flags it notifies one customer about a new order, in the sandbox", () => {
  const asked = readSettings([], {});
  expect(asked).toMatchObject({
    kind: "run",
    settings: {
      event: { id: expect.stringMatching(/^[0-9a-f]{8}$/) },
      branches: [
        { channel: "email" },
        { channel: "sms" },
        { channel: "slack" },
        { channel: "push" },
      ],
      policy: "all",
      explicit: false,
      style: "generator",
      crash: false,
      accounts: {},
      data: expect.stringMatching(/fan-out-notifications[/\\]\.resonate$/),
    },
  });
  expect(asked).not.toMatchObject({ settings: { list: expect.anything() } });
});

test("a flag wins over its variable", () => {
  const env = { RESONATE_URL: "http://one:1", NOTIFICATIONS_DATA: "one" };
  expect(readSettings([], env)).toMatchObject({
    settings: { server: "http://one:1", data: "one" },
  });
  expect(readSettings(["--server", "http://two:2", "--data", "two"], env)).toMatchObject({
    settings: { server: "http://two:2", data: "two" },
  });
});

test("channels can have a fallback, a policy, and limits of their own", () => {
  const words = [
    ...["--channels", "email,push/sms", "--policy", "2", "--seen-ms", "50"],
    ...["--ambiguous", "sms=fail,email=retry", "--timeout-ms", "email=9000", "--rate", "sms=3"],
  ];
  expect(readSettings(words, {})).toMatchObject({
    settings: {
      branches: [{ channel: "email" }, { channel: "push", fallback: "sms" }],
      policy: 2,
      acknowledgeMs: 50,
      ambiguous: { sms: "fail", email: "retry" },
      timeoutMs: { email: 9_000 },
      rates: { sms: 3 },
      explicit: true,
    },
  });
});

test.each([
  [["--order", "a:b"], "--order"],
  [["--order", ""], "--order"],
  [["--style", "callbacks"], "--style"],
  [["--server", "nowhere"], "--server"],
  [["--data", ""], "--data"],
  [["--unknown"], "--unknown"],
  [["--order", "-1"], "--order"],
  [["--channels", "email,pigeon"], "'pigeon'"],
  [["--channels", ""], "--channels"],
  [["--channels", "email,email"], "--channels names email twice"],
  [["--channels", "sms,push/sms"], "--channels names sms twice"],
  [["--channels", "email/sms"], "only push"],
  [["--channels", "push/sms/email"], "only push"],
  [["--policy", "most"], "--policy"],
  [["--policy", "5"], "--policy 5"],
  [["--policy", "0"], "--policy"],
  [["--sample", "0"], "--sample"],
  [["--sample", "10001"], "--sample"],
  [["--sample", "5", "--recipients", "f"], "exclude each other"],
  [["--concurrency", "1.5"], "--concurrency"],
  [["--attempts", "x"], "--attempts"],
  [["--ambiguous", "sms=perhaps"], "--ambiguous"],
  [["--timeout-ms", "sms"], "--timeout-ms"],
  [["--rate", "pigeon=1"], "--rate"],
  [["--seen-ms", "-1"], "--seen-ms"],
  [["--subject", "Shipped\r\nBcc: a@example.com"], "--subject must be one line"],
  [["--text", "\u0007"], "--text"],
  [["surplus"], "surplus"],
])("%j is answered with one line that names it", (words, named) => {
  const asked = readSettings(words, {});
  expect(asked).toEqual({ kind: "wrong", line: expect.stringContaining(named) });
  expect(asked).toEqual({ kind: "wrong", line: expect.not.stringContaining("\n") });
});

test.each([
  [{ TWILIO_AUTH_TOKEN: "t" }, "sms needs TWILIO_ACCOUNT_SID"],
  [{ ACKNOWLEDGE_URL: "http://example.com" }, "ACKNOWLEDGE_URL"],
  [{ ACKNOWLEDGE_SECRET: "short" }, "ACKNOWLEDGE_SECRET"],
  [{ ACKNOWLEDGE_PORT: "70000" }, "ACKNOWLEDGE_PORT"],
])("%j is answered with one line that names it", (env, named) => {
  expect(readSettings([], env)).toEqual({ kind: "wrong", line: expect.stringContaining(named) });
});

test("--crash is for the sandbox only", () => {
  const key = (bytes: number) => Buffer.alloc(bytes, 4).toString("base64url");
  const env = {
    VAPID_SUBJECT: "mailto:a@example.com",
    VAPID_PUBLIC_KEY: key(65),
    VAPID_PRIVATE_KEY: key(32),
  };
  expect(readSettings(["--crash"], env)).toMatchObject({
    kind: "wrong",
    line: expect.stringContaining("--crash"),
  });
});
