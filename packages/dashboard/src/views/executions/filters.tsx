import { type RefObject, useEffect, useState } from "react";
import type { ExecutionFilter } from "../../model/execution-list.ts";
import { Icon } from "../../ui/icon.tsx";

interface Props {
  readonly filter: ExecutionFilter;
  readonly onChange: (name: keyof ExecutionFilter, value: string) => void;
  readonly search: RefObject<HTMLInputElement | null>;
}

const STATES: readonly (readonly [string, string])[] = [
  ["", "All"],
  ["pending", "Pending"],
  ["resolved", "Done"],
  ["rejected", "Failed"],
  ["rejected_canceled", "Canceled"],
  ["rejected_timedout", "Timed out"],
  ["halted", "Halted"],
];

export function Filters({ filter, onChange, search }: Props) {
  return (
    <div className="filters">
      <div className="search">
        <Icon name="search" />
        <TypedInput
          ref={search}
          aria-label="Search by the beginning of the id"
          placeholder="Search by the beginning of the id"
          value={filter.idPrefix}
          onValue={(value) => onChange("idPrefix", value)}
        />
        <kbd>/</kbd>
      </div>
      <TypedInput
        aria-label="Function"
        placeholder="Function"
        value={filter.func}
        onValue={(value) => onChange("func", value)}
      />
      <div className="segments" role="radiogroup" aria-label="State">
        {STATES.map(([state, name]) => (
          <label key={state}>
            <input
              type="radio"
              name="state"
              checked={filter.state === state}
              onChange={() => onChange("state", state)}
            />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </div>
  );
}

interface TypedProps {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly placeholder: string;
  readonly "aria-label": string;
  readonly ref?: RefObject<HTMLInputElement | null>;
}

/** How long after the last key a search begins. */
const PAUSE_MS = 150;

/** Tells what was typed once nothing more is, or Enter is pressed. Esc clears it, and leaves it when it is clear. */
function TypedInput({ value, onValue, ...rest }: TypedProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onValue(text), PAUSE_MS);
    return () => clearTimeout(timer);
  });
  return (
    <input
      type="text"
      spellCheck={false}
      autoComplete="off"
      value={text}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          if (text !== value) onValue(text);
          event.currentTarget.blur();
        }
        if (event.key === "Escape") {
          if (text === "") event.currentTarget.blur();
          else onValue("");
          setText("");
        }
      }}
      {...rest}
    />
  );
}
