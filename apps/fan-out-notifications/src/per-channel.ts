/** Flags that name channels. */
import type { z } from "zod";
import { CHANNELS, type Channel } from "./notification.ts";

/** Channels that are told at once, each with a fallback or without. */
export type Branches = readonly { readonly channel: Channel; readonly fallback?: Channel }[];

/** `email,push/sms`. Of the channels, push alone has somebody who can acknowledge. */
export function parseBranches(given: string, fail: (message: string) => never): Branches {
  const branches = given.split(",").map((branch) => {
    const [channel, fallback, ...more] = branch.split("/").map((name) => {
      if (isChannel(name)) return name;
      return fail(`--channels knows ${CHANNELS.join(", ")}, and not '${name}'`);
    });
    if (!channel || more.length > 0 || (fallback && channel !== "push")) {
      return fail("--channels: only push can have a fallback, and one, as in push/sms");
    }
    return { channel, ...(fallback && { fallback }) };
  });
  const all = given.split(/[,/]/);
  const twice = all.find((name, at) => all.indexOf(name) !== at);
  return twice === undefined ? branches : fail(`--channels names ${twice} twice`);
}

/** `sms=1,email=2`. `undefined` when it is not that. */
export function parsePerChannel<T>(
  given: string,
  value: z.ZodType<T>,
): Readonly<Partial<Record<Channel, T>>> | undefined {
  if (given === "") return {};
  const pairs = given.split(",").map((pair) => {
    const [name = "", text, ...more] = pair.split("=");
    const read = value.safeParse(text);
    return isChannel(name) && read.success && more.length === 0 ? [name, read.data] : undefined;
  });
  if (pairs.some((pair) => pair === undefined)) return undefined;
  return Object.fromEntries(pairs.filter((pair) => pair !== undefined));
}

function isChannel(name: string): name is Channel {
  return CHANNELS.some((channel) => channel === name);
}
