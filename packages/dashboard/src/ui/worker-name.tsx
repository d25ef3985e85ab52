import { workerColour } from "../model/palette.ts";

/** A worker's name with its colour. */
export function WorkerName({ name }: { readonly name: string }) {
  return (
    <span className="worker" data-worker={workerColour(name)} title={name}>
      <i className="dot" />
      <span className="cut">{name}</span>
    </span>
  );
}
