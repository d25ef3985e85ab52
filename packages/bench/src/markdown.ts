/** Tables in Markdown, aligned to be read as text too. */

/** The first row is the head; the first column stands left, the others right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = rows.map(
    (row) => `| ${row.map((cell, at) => pad(cell, widths[at] ?? 0, at)).join(" | ")} |`,
  );
  const rule = widths.map((width, at) =>
    at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`,
  );
  return [lines[0], `|${rule.join("|")}|`, ...lines.slice(1)].join("\n");
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** Three digits; nothing for what is not there. */
export function shown(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  if (value === 0) return "0";
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
