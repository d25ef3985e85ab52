import { useState } from "react";

interface Action {
  readonly busy: boolean;
  readonly error?: unknown;
  /** Does it, once at a time; then calls `done`, unless it fails. */
  readonly start: () => void;
}

/** Something that a person does and the server may refuse. */
export function useAction(act: () => Promise<void>, done: () => void): Action {
  const [state, setState] = useState<{ busy: boolean; error?: unknown }>({ busy: false });
  const start = () => {
    if (state.busy) return;
    setState({ busy: true });
    act().then(
      () => {
        setState({ busy: false });
        done();
      },
      (error) => setState({ busy: false, error }),
    );
  };
  return { ...state, start };
}
