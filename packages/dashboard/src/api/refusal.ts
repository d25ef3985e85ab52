/** A server that says no, or that does not answer. */

/** The message is what the server said, word for word. `status` is 0 where nothing answered. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Nothing answered, or what did is no Resonate server. */
export function unreachable(): Refusal {
  return new Refusal(0, "The server does not answer.");
}

type Listener = () => void;
const listeners = new Set<Listener>();

/** Calls back when a request is refused for want of a valid token. */
export function onUnauthorized(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The refusal as an error; a 401 is told to whoever asks for tokens. */
export function refused(status: number, message: string): Refusal {
  if (status === 401) for (const listener of listeners) listener();
  return new Refusal(status, message);
}

/** What went wrong, for people. */
export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
