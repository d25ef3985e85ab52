/** What requests say of those who send them, besides what they ask. */
import {
  type Claim,
  PROTOCOL_VERSION,
  type Refusal,
  type Request,
  type RequestData,
  type RequestKind,
  type Response,
} from "@resonate-ts/protocol";
import type { Step } from "../core/step.ts";
import type { Answers } from "./commits.ts";
import type { Dispatcher } from "./dispatcher.ts";

export function isStep(
  request: Request,
): request is Request<Exclude<RequestKind, "worker.announce">> & Step {
  return request.kind !== "worker.announce";
}

/** Requests that read a lot and change nothing. */
export function isSearch({ kind }: Request): boolean {
  return kind === "promise.search" || kind === "task.search" || kind === "schedule.search";
}

function announce(
  { kind, head: { corrId }, data }: Request,
  dispatcher: Dispatcher,
): Response | Refusal {
  const announcement = data as RequestData["worker.announce"]; // The only kind that is no step.
  if (dispatcher.announce(announcement))
    return { kind, head: { corrId, status: 200, version: PROTOCOL_VERSION }, data: {} };
  const { pid, group } = announcement;
  const message = `No stream of process '${pid}' in group '${group}' is open; announce after opening it`;
  return { kind, head: { corrId, status: 409, version: PROTOCOL_VERSION }, data: message };
}

/** Answers requests of which some are no steps; `take` answers those that are. */
export async function answerMixed(
  requests: readonly Request[],
  dispatcher: Dispatcher,
  take: (steps: readonly Step[]) => Promise<Answers>,
): Promise<Answers> {
  const announced = requests.map((request) =>
    isStep(request) ? undefined : announce(request, dispatcher),
  );
  const steps = requests.filter(isStep);
  const answers = (steps.length > 0 ? await take(steps) : []).values();
  return requests.flatMap((_, at) => announced[at] ?? answers.next().value ?? []);
}

/** Whoever acts under a claim has received it. */
export function hear({ kind, data }: Request, dispatcher: Dispatcher): void {
  switch (kind) {
    case "task.fence":
    case "task.suspend":
    case "task.fulfill":
      dispatcher.heard(data as Claim); // The data of these kinds names the claim.
      return;
    case "task.release":
      dispatcher.declined(data as Claim); // As above.
      return;
    case "task.heartbeat":
      for (const claim of (data as RequestData["task.heartbeat"]).tasks) dispatcher.heard(claim);
  }
}

/** An offer that was refused had been taken where this server does not see it. */
export function hearAnswers(
  requests: readonly Request[],
  answers: Answers,
  dispatcher: Dispatcher,
): void {
  for (const [at, { kind, data }] of requests.entries()) {
    if (kind !== "task.acquire" || answers[at]?.head.status !== 409) continue;
    dispatcher.taken(data as RequestData["task.acquire"]); // The data of that kind.
  }
}

export function refusals(requests: readonly Request[], status: number, message: string): Refusal[] {
  return requests.map(({ kind, head }) => ({
    kind,
    head: { corrId: head.corrId, status, version: PROTOCOL_VERSION },
    data: message,
  }));
}
