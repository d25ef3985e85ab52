/** What is left of a notification when its process is killed at any point. Nothing is sent to anybody. */
import { crashAtEveryStep, type Lab } from "@resonate-ts/testing";
import { expect, test } from "vitest";
import type { Report } from "../src/notification.ts";
import { notify } from "../src/notify.ts";
import { notify as notifyAsync } from "../src/notify-async.ts";
import { type Post, type Sent, sendOnce } from "../src/send.ts";
import { fates, notificationOf, over } from "./lab.ts";

/** A process that could send over all channels, and is not asked to. */
const POST = {
  adapters: { email: { via: "sandbox" }, sms: { via: "sandbox" }, push: { via: "sandbox" } },
  // What `sendOnce` would use stands still: it has been replaced.
} as unknown as Post;

const PUSH_OR_SMS = { ...over("push"), fallback: over("sms").route };

test.each([
  ["generator", notify],
  ["async", notifyAsync],
])(
  "the %s version comes to the same after a crash at any point, and never asks by another key",
  async (_, fn) => {
    /** Keys by channel, of every run. */
    const keys = new Map<string, Set<string>>();
    const before = (lab: Lab) => {
      lab.mock(sendOnce, async (_, { route: { channel }, key, attempt }): Promise<Sent> => {
        keys.set(channel, (keys.get(channel) ?? new Set()).add(key));
        const busy = channel === "email" && attempt === 1;
        const answer = busy
          ? ({ kind: "busy", why: "answered 450" } as const)
          : ({ kind: "accepted", messageId: key } as const);
        return { answer, ms: 0 };
      });
    };

    const { outcome, points } = await crashAtEveryStep(fn, {
      args: [notificationOf([over("email"), PUSH_OR_SMS], { acknowledgeMs: 1_000 })],
      register(resonate) {
        resonate.setDependency("post", POST);
        resonate.register("notify", fn);
      },
      before,
    });

    // What it comes to is a report.
    const report = (outcome.kind === "value" ? outcome.value : undefined) as Report;
    expect(fates(report)).toMatchObject({
      email: { outcome: "delivered", attempts: 2 },
      push: { outcome: "delivered", acknowledged: false },
      sms: { outcome: "delivered" },
    });
    expect(points.length).toBeGreaterThan(10);
    expect(new Set([...keys.keys()])).toEqual(new Set(["email", "push", "sms"]));
    expect([...keys.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
  },
);
