/** The bearer token that a person has entered. It is kept for this tab only, until the tab is closed. */

const KEY = "resonate.token";

export function readToken(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

/** What a request says about who sends it. */
export function authorization(): Record<string, string> {
  const token = readToken();
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}
