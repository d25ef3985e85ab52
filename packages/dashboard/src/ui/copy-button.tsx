import { useState } from "react";
import { Button } from "./button.tsx";

/** Puts a text on the clipboard, and says whether that worked. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [done, setDone] = useState<boolean>();
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => setDone(false),
    );
  };
  const said = done === false ? "Copying is not allowed here" : done ? "Copied" : label;
  return (
    <Button
      look="bare"
      icon={done ? "check" : "copy"}
      aria-label={said}
      onClick={copy}
      onBlur={() => setDone(undefined)}
      onPointerLeave={() => setDone(undefined)}
    />
  );
}
