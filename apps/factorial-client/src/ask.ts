import { type Resonate, ServerRefusedError } from "@resonate-ts/sdk";

/** The group of workers that computes. */
const WORKERS = "factorial-workers";

export interface Answer {
  readonly value: bigint;
  /** From the question to the answer, in ms. */
  readonly ms: number;
  /** The answer was there before it was asked for. */
  readonly cached: boolean;
}

export interface Question {
  readonly n: number;
  /** Ask for the product of the range from 1 to n, whose halves many workers compute at once. */
  readonly split: boolean;
}

/** The id of the call that computes n!: it says what is computed, and how. */
export function callId({ n, split }: Question): string {
  return split ? `product-1-${n}` : `factorial-${n}`;
}

/**
 * Asks for n!.
 *
 * The id of the call says what it computes: the first to ask has it computed, everybody else joins or reads
 * the result, now and later.
 */
export async function ask(resonate: Resonate, question: Question): Promise<Answer> {
  const { n, split } = question;
  const id = callId(question);
  const since = performance.now();
  const cached = await settled(resonate, id);
  const target = resonate.options({ target: WORKERS });
  const value = split
    ? await resonate.rpc<bigint>(id, "product", { from: 1, to: n }, target)
    : await resonate.rpc<bigint>(id, "factorial", n, target);
  return { value, ms: performance.now() - since, cached };
}

async function settled(resonate: Resonate, id: string): Promise<boolean> {
  try {
    const { state } = await resonate.promises.get(id);
    return state !== "pending";
  } catch (error) {
    // No such promise: nobody has asked yet.
    if (error instanceof ServerRefusedError && error.status === 404) return false;
    throw error;
  }
}
