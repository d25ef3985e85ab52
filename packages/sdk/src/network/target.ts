/** Targets, as callers name them. */
import { anycast } from "@resonate-ts/protocol";

/** The address of a target: an address as it is, the name of a group as the address of anyone in it. */
export function addressOf(target: string): string {
  return target.includes("://") ? target : anycast(target);
}
