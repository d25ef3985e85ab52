import { expect, test } from "vitest";
import { isAmong, isSafe, readAccounts } from "../src/accounts.ts";

test("without variables there are no accounts", () => {
  expect(readAccounts({ SMTP_URL: "" })).toEqual({});
});

test("a channel has an account once all of its variables are set", () => {
  const SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T/B/X";
  const sms = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "t", TWILIO_FROM: "+15550100000" };
  expect(readAccounts({ SLACK_WEBHOOK_URL, ...sms })).toEqual({
    slack: { SLACK_WEBHOOK_URL },
    sms: { ...sms, TWILIO_API_URL: "https://api.twilio.com" },
  });
});

test.each([
  [{ SMTP_URL: "smtp://h" }, "email needs SMTP_FROM as well as SMTP_URL"],
  [{ SMTP_URL: "http://h", SMTP_FROM: "a@example.com" }, "SMTP_URL must be an smtp or smtps URL"],
  [
    { SMTP_URL: "smtp://h", SMTP_FROM: "a@example.com\r\nBcc: b@example.com" },
    "SMTP_FROM must be an email address",
  ],
  [{ SLACK_WEBHOOK_URL: "http://hooks.example.com" }, "SLACK_WEBHOOK_URL must be https"],
  [
    { WEBHOOK_URL: "https://example.com", WEBHOOK_SECRET: "hunter2" },
    "WEBHOOK_SECRET must be 'whsec_'",
  ],
])("%j is refused", (env, message) => {
  expect(() => readAccounts(env)).toThrow(message);
});

test("what a variable is set to is not said", () => {
  const read = () =>
    readAccounts({ WEBHOOK_URL: "https://example.com", WEBHOOK_SECRET: "hunter2" });
  expect(read).not.toThrow("hunter2");
});

test.each([
  ["a.notify.windows.com", true],
  ["notify.windows.com", false],
  ["evil-notify.windows.com", false],
  ["fcm.googleapis.com", true],
  ["fcm.googleapis.com.example.com", false],
])("%s is a push service: %s", (host, among) => {
  expect(isAmong(host, ["*.notify.windows.com", "fcm.googleapis.com"])).toBe(among);
});

test.each([
  ["https://example.com", true],
  ["http://example.com", false],
  ["http://127.0.0.1:8080", true],
  ["http://127.0.0.1.example.com", false],
])("%s is safe: %s", (url, safe) => {
  expect(isSafe(url)).toBe(safe);
});
