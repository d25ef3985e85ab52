/** What stands before the lines of a tree. */

/** Levels that are drawn; deeper ones are numbered, or a deep run would print the square of its depth. */
export const LEVELS_DRAWN_MAX = 40;

interface Row<T> {
  readonly node: T;
  /** What stands before the node itself. */
  readonly prefix: string;
  /** What stands before its children's connectors. */
  readonly indent: string;
  /** 0 at the top. */
  readonly level: number;
}

/** Each node with what stands before it, a parent before its children. Not recursive: a tree may be deeper than the stack. */
export function* branches<T>(
  root: T,
  childrenOf: (node: T) => readonly T[],
): Generator<Pick<Row<T>, "node" | "prefix">, void> {
  const stack: Row<T>[] = [{ node: root, prefix: "", indent: "", level: 0 }];
  for (let row = stack.pop(); row; row = stack.pop()) {
    yield row;
    for (const child of rowsUnder(row, childrenOf(row.node)).reverse()) stack.push(child);
  }
}

function rowsUnder<T>({ indent, level: above }: Row<T>, children: readonly T[]): Row<T>[] {
  const level = above + 1;
  const last = children.length - 1;
  if (level >= LEVELS_DRAWN_MAX) {
    return children.map((node) => ({ node, prefix: `${indent}[${level}] `, indent, level }));
  }
  return children.map((node, at) => ({
    node,
    prefix: `${indent}${at === last ? "└── " : "├── "}`,
    indent: `${indent}${at === last ? "    " : "│   "}`,
    level,
  }));
}
