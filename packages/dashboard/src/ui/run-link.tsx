import type { ReactNode } from "react";
import { Link } from "wouter";

/** Where one promise is shown, in the run it belongs to. */
export function runPath(id: string): string {
  return `/run?${new URLSearchParams({ id })}`;
}

export function RunLink({ id, children }: { readonly id: string; readonly children?: ReactNode }) {
  return (
    <Link href={runPath(id)} className="id" title={id}>
      {children ?? id}
    </Link>
  );
}
