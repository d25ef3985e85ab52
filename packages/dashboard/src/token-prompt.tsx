import { useState } from "react";
import { Button } from "./ui/button.tsx";

interface Props {
  /** Whether a token was sent, and not taken. */
  readonly refused: boolean;
  readonly onEnter: (token: string) => void;
}

/** Asks for the token that the server wants. */
export function TokenPrompt({ refused, onEnter }: Props) {
  const [token, setToken] = useState("");
  return (
    <main className="token-prompt">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== "") onEnter(token.trim());
        }}
      >
        <h1>This server asks for a token</h1>
        <p className="quiet">
          It is sent with every request of this tab, and forgotten when the tab is closed. It must
          be one that opens everything: the page shows all there is.
        </p>
        {refused && (
          <p className="problem" role="alert">
            The server did not take the last token. It may have expired.
          </p>
        )}
        <label className="field">
          <span>Token</span>
          <input
            type="password"
            name="token"
            autoComplete="off"
            // The page has nothing else to do.
            ref={(input) => input?.focus()}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <Button type="submit" look="primary" disabled={token.trim() === ""}>
          Continue
        </Button>
      </form>
    </main>
  );
}
