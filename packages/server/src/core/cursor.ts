/** Cursors of searches: opaque to clients, the id after which the next page starts to us. */

export function cursorAfter(id: string): string {
  return btoa(encodeURIComponent(id)).replaceAll("=", "");
}

/** The id in a cursor; `undefined` when it is none of ours. */
export function idOfCursor(cursor: string): string | undefined {
  try {
    const id = decodeURIComponent(atob(cursor));
    return id !== "" && cursorAfter(id) === cursor ? id : undefined;
  } catch {
    return undefined;
  }
}
