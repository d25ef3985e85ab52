import type { Value } from "@resonate-ts/protocol";
import { useState } from "react";
import { bytes as inBytes } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { RichText } from "../../ui/rich-text.tsx";

interface Props {
  readonly title: string;
  readonly value: Value;
  /** Decoded by the server, where it could. */
  readonly text: string | undefined;
  readonly bytes: number;
  /** Its size, when the server has cut it. */
  readonly cutFrom?: number | undefined;
  readonly alarm?: boolean;
}

/** More is shown when it is asked for: laying out a long text takes a browser its time. */
const SHOWN_MAX = 4_000;

/** What a promise carries, as text and as nothing else. */
export function Payload({ title, value, text, bytes, cutFrom, alarm = false }: Props) {
  const [whole, setWhole] = useState(false);
  const { headers = {}, data } = value;
  const full = text ?? data;
  const shown = whole ? full : full?.slice(0, SHOWN_MAX);
  const more = full !== undefined && shown !== undefined && full.length > shown.length;
  return (
    <section className="payload-part" data-alarm={alarm || undefined}>
      <h3>
        {title}
        <small className="quiet">{inBytes(bytes)}</small>
        <span className="gap" />
        {full !== undefined && <CopyButton text={full} label={`Copy the ${title.toLowerCase()}`} />}
      </h3>
      {shown === undefined || shown === "" ? (
        <p className="quiet">empty</p>
      ) : (
        <pre className="payload">
          <RichText text={shown} />
          {more && "…"}
        </pre>
      )}
      {text === undefined && data !== undefined && (
        <p className="quiet">It is not base64 of UTF-8 text; it is shown as it is stored.</p>
      )}
      {more && (
        <Button onClick={() => setWhole(true)}>
          Show all {inBytes(full.length)} that{" "}
          {cutFrom === undefined ? "it has" : "the server sent"}
        </Button>
      )}
      {cutFrom !== undefined && (
        <p className="note">
          Cut: all of it is {inBytes(cutFrom)}. Read it with <code>resonate promises get</code>.
        </p>
      )}
      {Object.keys(headers).length > 0 && (
        <dl className="facts">
          {Object.entries(headers).map(([name, header]) => (
            <div key={name}>
              <dt className="id">{name}</dt>
              <dd className="id">{header}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
