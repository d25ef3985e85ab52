/** What a client may do, and whether that takes in an id. */

export type Scope =
  | { readonly kind: "everything" }
  /** What belongs to ids that start so. Not empty. */
  | { readonly kind: "prefix"; readonly prefix: string }
  | { readonly kind: "nothing" };

export const EVERYTHING: Scope = { kind: "everything" };

/** What may follow a prefix: these separate the parts of an id. */
const DELIMITERS = ":./";

/**
 * Whether a prefix opens an id: `acme` opens itself and what goes on with `:`, `.` or `/`, and not `acme2`. A prefix
 * that ends in punctuation has its delimiter already. Compared as they are written: no case, no Unicode form is folded.
 */
export function opens(prefix: string, id: string): boolean {
  if (!id.startsWith(prefix)) return false;
  const next = id[prefix.length];
  return next === undefined || DELIMITERS.includes(next) || /\p{P}$/u.test(prefix);
}
