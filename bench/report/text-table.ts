/** A Markdown table whose columns line up as plain text too: the first row names the columns, numbers stand on the right. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const [names = [], ...body] = rows;
  const widths = names.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumeric = names.map((_, column) => body.every((row) => numeric.test(row[column] ?? '')));
  const pad = (text: string, column: number): string =>
    isNumeric[column] === true ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  const line = (row: readonly string[]): string => `| ${row.map(pad).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    isNumeric[column] === true ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(names), `| ${rule.join(' | ')} |`, ...body.map(line)];
}

/** Begins with a number, or is a dash for one that there is not. */
const numeric = /^[+-]?[\d.]|^–?$/;
