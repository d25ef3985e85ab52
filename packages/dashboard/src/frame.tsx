/** What is around every view: where one can go, how the connection is, and what can be done from anywhere. */
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { InvokeDialog } from "./actions/invoke-dialog.tsx";
import { Connection } from "./connection.tsx";
import { HelpDialog } from "./help-dialog.tsx";
import { Button } from "./ui/button.tsx";
import { Icon, type IconName } from "./ui/icon.tsx";
import { type Theme, useTheme } from "./ui/theme.ts";
import { useKeys } from "./ui/use-keys.ts";

const PLACES: readonly { readonly path: string; readonly name: string; readonly icon: IconName }[] =
  [
    { path: "/", name: "Overview", icon: "overview" },
    { path: "/executions", name: "Executions", icon: "executions" },
    { path: "/schedules", name: "Schedules", icon: "schedules" },
  ];

const THEME_ICONS: Readonly<Record<Theme, IconName>> = {
  system: "system",
  light: "sun",
  dark: "moon",
};

export function Frame({ children }: { readonly children: ReactNode }) {
  const [path, go] = useLocation();
  const [open, setOpen] = useState<"help" | "invoke">();
  const [theme, nextTheme] = useTheme();
  const close = () => setOpen(undefined);
  useKeys({
    "1": () => go("/"),
    "2": () => go("/executions"),
    "3": () => go("/schedules"),
    "?": () => setOpen("help"),
    i: () => setOpen("invoke"),
    t: nextTheme,
  });
  return (
    <>
      <header className="frame">
        <Link href="/" className="brand">
          <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
            <path d="M6 16h.01M12 11a7.500 7.500 0 0 1 0 10M18 7.500a13 13 0 0 1 0 17M24 4.500a18 18 0 0 1 0 23" />
          </svg>
          Resonate
        </Link>
        <nav aria-label="Views">
          {PLACES.map((place) => (
            <Link
              key={place.path}
              href={place.path}
              aria-current={isAt(path, place.path) ? "page" : undefined}
            >
              <Icon name={place.icon} />
              {place.name}
            </Link>
          ))}
        </nav>
        <Connection />
        <Button icon="plus" onClick={() => setOpen("invoke")}>
          Invoke
        </Button>
        <Button
          look="bare"
          icon={THEME_ICONS[theme]}
          aria-label={`Theme: ${theme}`}
          onClick={nextTheme}
        />
        <Button
          look="bare"
          icon="help"
          aria-label="Keys and help"
          onClick={() => setOpen("help")}
        />
      </header>
      {children}
      {open === "help" && <HelpDialog onClose={close} />}
      {open === "invoke" && <InvokeDialog onClose={close} />}
    </>
  );
}

/** A run is one of the executions. */
function isAt(path: string, place: string): boolean {
  return path === place || (path === "/run" && place === "/executions");
}
