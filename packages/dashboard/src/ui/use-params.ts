import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** A parameter of the address, and what changes it. Empty means absent; a change makes no new entry of the history. */
export function useParam(name: string): readonly [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string) => setParams((before) => withParam(before, name, value), { replace: true }),
    [name, setParams],
  );
  return [params.get(name) ?? "", set];
}

export function withParam(params: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(params);
  if (value === "") next.delete(name);
  else next.set(name, value);
  return next;
}
