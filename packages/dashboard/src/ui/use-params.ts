/**
 * The parameters of the address. They are read as the browser has them: the router's own hook decodes them twice, which
 * makes another id of one that has a `%`.
 */
import { useCallback, useMemo } from "react";
import { navigate, useSearch } from "wouter/use-browser-location";

type Change = (before: URLSearchParams) => URLSearchParams;

/** The parameters, and what changes them; that makes no new entry of the history. */
export function useParams(): readonly [URLSearchParams, (change: Change) => void] {
  const search = useSearch();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const setParams = useCallback((change: Change) => {
    const next = change(new URLSearchParams(location.search)).toString();
    navigate(`${location.pathname}${next && `?${next}`}`, { replace: true });
  }, []);
  return [params, setParams];
}

/** One parameter, and what changes it. Empty means absent. */
export function useParam(name: string): readonly [string, (value: string) => void] {
  const [params, setParams] = useParams();
  const set = useCallback(
    (value: string) => setParams((before) => withParam(before, name, value)),
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
