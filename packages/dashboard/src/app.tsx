/** The whole page: a token where one is needed, the frame, and the view that the address names. */
import { useEffect, useState } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { onUnauthorized } from "./api/refusal.ts";
import { keepToken, readToken } from "./api/token.ts";
import { Frame } from "./frame.tsx";
import { TokenPrompt } from "./token-prompt.tsx";
import { LiveProvider } from "./ui/live-context.tsx";
import { useParams } from "./ui/use-params.ts";
import { ExecutionsView } from "./views/executions/executions-view.tsx";
import { OverviewView } from "./views/overview/overview-view.tsx";
import { RunView } from "./views/run/run-view.tsx";
import { SchedulesView } from "./views/schedules/schedules-view.tsx";

export function App() {
  const [locked, setLocked] = useState(false);
  useEffect(() => onUnauthorized(() => setLocked(true)), []);
  const enter = (token: string) => {
    keepToken(token);
    setLocked(false);
  };
  if (locked) return <TokenPrompt refused={readToken() !== undefined} onEnter={enter} />;
  return (
    <Router base={import.meta.env.BASE_URL.replace(/\/$/, "")}>
      <Views />
    </Router>
  );
}

function Views() {
  const [path] = useLocation();
  const [params] = useParams();
  const id = path === "/run" ? (params.get("id") ?? undefined) : undefined;
  return (
    <LiveProvider key={id ?? ""} {...(id !== undefined && { id })}>
      <Frame>
        <Switch>
          <Route path="/" component={OverviewView} />
          <Route path="/executions" component={ExecutionsView} />
          <Route path="/run">
            {id === undefined ? <Redirect to="/executions" /> : <RunView id={id} />}
          </Route>
          <Route path="/schedules" component={SchedulesView} />
          <Route>
            <Redirect to="/" replace />
          </Route>
        </Switch>
      </Frame>
    </LiveProvider>
  );
}
