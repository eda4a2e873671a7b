/** A Markdown table whose columns line up as plain text too: the first row names the columns, numbers stand on the right. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const [names = [], ...body] = rows;
  const widths = names.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padStart(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`;
  return [line(names), rule, ...body.map(line)];
}
