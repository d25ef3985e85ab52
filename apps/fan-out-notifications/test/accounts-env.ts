import type { Sandbox } from "../src/sandbox.ts";

/** The environment of a process for which a sandbox's providers are real ones. */
export function accountsEnv({ accounts, push }: Sandbox): Record<string, string> {
  const { email, sms, slack, webhook, push: vapid } = accounts;
  const hosts = { PUSH_HOSTS: new URL(push.url).host };
  return { ...email, ...sms, ...slack, ...webhook, ...vapid, ...hosts };
}
