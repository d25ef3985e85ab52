/** Light or dark: as the system says, unless a person has chosen. */
import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "resonate.theme";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };

/** The choice, and what makes it the next one. */
export function useTheme(): readonly [Theme, () => void] {
  const [theme, setTheme] = useState(chosen);
  useEffect(() => {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
    document.documentElement.dataset["theme"] = theme;
    // Drawings take their colours when they are made.
    window.dispatchEvent(new Event("themechange"));
  }, [theme]);
  return [theme, () => setTheme((before) => NEXT[before])];
}

function chosen(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}
