import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "./button.tsx";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Default `narrow`. */
  readonly width?: "narrow" | "wide";
}

/** What is to be filled in, or else what does no harm. */
const FIRST = "input:not([type=checkbox]), footer button";

/** A dialog over everything else, open for as long as it is there. Esc closes it. */
export function Dialog({ title, onClose, children, width = "narrow" }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>(FIRST)?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      className="dialog"
      data-width={width}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2>{title}</h2>
        <Button look="bare" icon="close" aria-label="Close" onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}
