/** Gathers figures by row and column, and prints the median of each cell. */
export class Table {
  readonly #columns: readonly string[];
  readonly #rows = new Map<string, Map<string, number[]>>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  add(row: string, column: string, figure: number): void {
    const cells = this.#rows.get(row) ?? new Map<string, number[]>();
    this.#rows.set(row, cells);
    cells.set(column, [...(cells.get(column) ?? []), figure]);
  }

  /** As a Markdown table. */
  render(): string {
    const lines = [
      ['', ...this.#columns],
      ['---', ...this.#columns.map(() => '---:')],
    ];
    for (const [label, cells] of this.#rows) {
      lines.push([label, ...this.#columns.map((column) => format(cells.get(column)))]);
    }
    return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }
}

function format(figures: readonly number[] | undefined): string {
  if (figures === undefined) return '–';
  const sorted = figures.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? NaN).toLocaleString('en');
}
