/** The colours of the style sheet, for what is drawn on a canvas. */
import { useSyncExternalStore } from "react";

export type Colours = (name: string) => string;

let generation = 0;
let known = new Map<string, string>();

/** The colour that a custom property stands for, in the theme of now. Another function when the theme changes. */
export function useColours(): Colours {
  const now = useSyncExternalStore(subscribe, () => generation);
  return readers(now);
}

let reader: { readonly generation: number; readonly read: Colours } | undefined;

function readers(now: number): Colours {
  if (reader?.generation !== now) {
    known = new Map();
    reader = { generation: now, read: (name) => known.get(name) ?? resolve(name) };
  }
  return reader.read;
}

/** A property's own value may be a function of the theme; the colour of an element is a colour. */
function resolve(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  known.set(name, color);
  return color;
}

function subscribe(changed: () => void): () => void {
  const change = () => {
    generation++;
    changed();
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", change);
  window.addEventListener("themechange", change);
  return () => {
    dark.removeEventListener("change", change);
    window.removeEventListener("themechange", change);
  };
}
