/**
 * What to make of a 409: the request may have been applied and the answer lost, because it was sent again, by us or by
 * something on the way, and then the 409 is about our own doing. The records tell.
 */
import {
  isRefusal,
  PROTOCOL_VERSION,
  type PromiseRecord,
  type Refusal,
  type Request,
  type RequestData,
  type RequestKind,
  type Response,
  type ResponseData,
  TAG,
  type TaskRecord,
} from "@resonate-ts/protocol";
import { makeRequest } from "./envelope.ts";

export type Send = <K extends RequestKind>(request: Request<K>) => Promise<Response<K> | Refusal>;

/** Largest page of a search. */
const PAGE = 1_000;

/** The answer that was lost, if the records show that `request` was applied; `refusal` otherwise. */
export async function recover(
  request: Request,
  refusal: Refusal,
  send: Send,
): Promise<Response | Refusal> {
  if (refusal.head.status !== 409) return refusal;
  const data = await applied(request, send);
  if (!data) return refusal;
  const { corrId } = request.head;
  return { kind: request.kind, head: { corrId, status: 200, version: PROTOCOL_VERSION }, data };
}

async function applied(request: Request, send: Send): Promise<Response["data"] | undefined> {
  switch (request.kind) {
    case "task.acquire": {
      const { id, pid, version } = dataOf(request, "task.acquire");
      return claim({ id, pid, version: version + 1 }, send);
    }
    case "task.create": {
      const { action, pid } = dataOf(request, "task.create");
      // The promise may have been there, and claimed before: the version says nothing. A claim that this process
      // holds already is told apart by whoever holds it.
      return claim({ id: action.data.id, pid }, send);
    }
    case "task.fulfill":
      return settled(dataOf(request, "task.fulfill").id, send);
    case "task.suspend":
      return parked(dataOf(request, "task.suspend"), send);
    default:
      return undefined;
  }
}

/** The claim, if it is ours: of this process, and at the version that this request would have made, where that is known. */
async function claim(
  ours: { readonly id: string; readonly pid: string; readonly version?: number },
  send: Send,
): Promise<ResponseData["task.acquire"] | undefined> {
  const task = await readTask(ours.id, send);
  if (task?.state !== "acquired" || task.pid !== ours.pid) return undefined;
  if (task.version !== (ours.version ?? task.version)) return undefined;
  const promise = await readPromise(ours.id, send);
  const preload = promise && (await readBranch(promise, send));
  return preload && { task, promise, preload };
}

async function settled(id: string, send: Send): Promise<ResponseData["task.fulfill"] | undefined> {
  const promise = await readPromise(id, send);
  return promise && promise.state !== "pending" ? { promise } : undefined;
}

/** Only what is seen parked counts: a task that is pending may have lost its lease before it could park. */
async function parked(
  { id, version }: { readonly id: string; readonly version: number },
  send: Send,
): Promise<ResponseData["task.suspend"] | undefined> {
  const task = await readTask(id, send);
  return task?.state === "suspended" && task.version === version ? {} : undefined;
}

async function readTask(id: string, send: Send): Promise<TaskRecord | undefined> {
  const answer = await send(makeRequest("task.get", { id }));
  return isRefusal(answer) ? undefined : answer.data.task;
}

async function readPromise(id: string, send: Send): Promise<PromiseRecord | undefined> {
  const answer = await send(makeRequest("promise.get", { id }));
  return isRefusal(answer) ? undefined : answer.data.promise;
}

/** What a claim is answered with beside the promise: the other promises of its branch; nothing if it is refused. */
export async function readBranch(
  promise: PromiseRecord,
  send: Send,
): Promise<readonly PromiseRecord[] | undefined> {
  const branch = promise.tags[TAG.branch];
  const found: PromiseRecord[] = [];
  if (!branch) return found;
  let cursor: string | undefined;
  do {
    const answer = await send(
      makeRequest("promise.search", { tags: { [TAG.branch]: branch }, limit: PAGE, cursor }),
    );
    if (isRefusal(answer)) return undefined;
    found.push(...answer.data.promises.filter(({ id }) => id !== promise.id));
    cursor = answer.data.cursor;
  } while (cursor !== undefined);
  return found;
}

/** The data of a request whose kind was just looked at. */
function dataOf<K extends RequestKind>(request: Request, _kind: K): RequestData[K] {
  // `Request` does not tie its data to its kind, so that the switch above cannot narrow it.
  return request.data as RequestData[K];
}
