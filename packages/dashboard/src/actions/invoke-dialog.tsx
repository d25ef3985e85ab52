/** Starts a function somewhere: what `resonate invoke` does, as a form. */
import type { WorkerGroup } from "@resonate-ts/protocol";
import { type HTMLInputTypeAttribute, useRef, useState } from "react";
import { useLocation } from "wouter";
import { act } from "../api/act.ts";
import { serverNow } from "../api/clock.ts";
import { type Field, type InvocationForm, invocationOf } from "../model/invocation.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Problem } from "../ui/empty.tsx";
import { runPath } from "../ui/run-link.tsx";
import { useReading } from "../ui/use-reading.ts";
import { useAction } from "./use-action.ts";

const START: InvocationForm = {
  id: "",
  func: "",
  args: "",
  target: "default",
  version: "1",
  timeout: "1h",
  delay: "",
};

export function InvokeDialog({ onClose }: { readonly onClose: () => void }) {
  const [, go] = useLocation();
  const [form, setForm] = useState(START);
  const [asked, setAsked] = useState(false);
  const chosen = useRef(false);
  const { data } = useReading("overview");
  const groups = data?.groups ?? [];
  const invocation = invocationOf(form, serverNow());
  const problem = asked && invocation.kind === "problem" ? invocation : undefined;
  const { busy, error, start } = useAction(
    () => invoke(form),
    () => {
      onClose();
      go(runPath(form.id.trim()));
    },
  );

  const change = (field: Field, text: string) => {
    chosen.current ||= field === "target";
    const group = field === "func" && !chosen.current ? groupWith(groups, text.trim()) : undefined;
    setForm({ ...form, [field]: text, ...(group !== undefined && { target: group }) });
  };
  const input = (field: Field, label: string, rest: InputRest) => (
    <label className="field" data-wrong={problem?.field === field || undefined}>
      <span>{label}</span>
      <input
        name={field}
        value={form[field]}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={problem?.field === field || undefined}
        onChange={(event) => change(field, event.target.value)}
        {...rest}
      />
      {problem?.field === field && <small role="alert">{problem.text}</small>}
    </label>
  );
  return (
    <Dialog title="Invoke a function" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (invocation.kind === "request") start();
        }}
      >
        {input("id", "Id, under which it is run once, for ever", { placeholder: "report-may" })}
        <div className="pair">
          {input("func", "Function", { placeholder: "report", list: "known-functions" })}
          {input("version", "Version", { inputMode: "numeric" })}
        </div>
        <label className="field" data-wrong={problem?.field === "args" || undefined}>
          <span>Arguments, as a JSON array</span>
          <textarea
            name="args"
            rows={3}
            value={form.args}
            spellCheck={false}
            placeholder='[{ "month": 5 }, true]'
            onChange={(event) => change("args", event.target.value)}
          />
          {problem?.field === "args" && <small role="alert">{problem.text}</small>}
        </label>
        {input("target", "Group of workers, or an address", { list: "known-groups" })}
        <div className="pair">
          {input("timeout", "Given up after", {})}
          {input("delay", "Started after", { placeholder: "at once" })}
        </div>
        <Suggestions groups={groups} />
        {error !== undefined && <Problem error={error} />}
        <footer>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" icon="run" disabled={busy}>
            {busy ? "Invoking…" : "Invoke"}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

interface InputRest {
  readonly placeholder?: string;
  readonly list?: string;
  readonly inputMode?: "numeric";
  readonly type?: HTMLInputTypeAttribute;
}

function Suggestions({ groups }: { readonly groups: readonly WorkerGroup[] }) {
  const functions = groups.flatMap(({ workers }) =>
    workers.flatMap((worker) => worker.functions ?? []),
  );
  const names = [...new Set(functions.map(({ name }) => name))].sort();
  return (
    <>
      <datalist id="known-functions">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id="known-groups">
        {groups.map(({ group }) => (
          <option key={group} value={group} />
        ))}
      </datalist>
    </>
  );
}

/** The group of a worker that has announced the function. */
function groupWith(groups: readonly WorkerGroup[], func: string): string | undefined {
  return groups.find(({ workers }) =>
    workers.some(({ functions = [] }) => functions.some(({ name }) => name === func)),
  )?.group;
}

async function invoke(form: InvocationForm): Promise<void> {
  const invocation = invocationOf(form, serverNow());
  if (invocation.kind === "problem") throw new Error(invocation.text);
  const { promise } = await act("promise.create", invocation.request);
  // An id that was known before keeps the deadline it was given then.
  if (promise.timeoutAt !== invocation.request.timeoutAt) {
    throw new Error(`${promise.id} exists already. Nothing was changed.`);
  }
}
