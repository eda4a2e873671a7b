import { percent, short, whole } from '../report/number-text.ts';
import { textTable } from '../report/text-table.ts';
import type { Machine } from '../target/machine.ts';
import type { TableSizes } from '../target/target.ts';
import type { CellFigures as LoadFigures } from '../load/cell.ts';

export interface CellFigures extends LoadFigures {
  /** Null where it is not known. Unlike the rates, it says much the same on a busy machine. */
  readonly nodeCpuMicrosPerEvent: number | null;
}

/** Rows a second of COPY, measured on the empty table and again on what the cells have left. */
export interface CopyFigures {
  readonly when: 'before' | 'after';
  readonly connections: number;
  readonly rowsPerSecond: number;
}

export interface BenchReport {
  readonly workload: string;
  readonly machine: Machine;
  readonly postgres: string | null;
  readonly secondsPerCell: number;
  readonly cells: readonly CellFigures[];
  readonly copy: readonly CopyFigures[];
  readonly sizes: TableSizes | null;
  readonly nodeMegabytesMax: number | null;
}

/** The report as text: a 5 × 4 table of each figure, requests down, connections across. */
export function renderReport(report: BenchReport): string {
  const { machine, cells } = report;
  const ceiling = Math.max(0, ...report.copy.map(({ rowsPerSecond }) => rowsPerSecond));
  const rate = ({ eventsPerSecond }: CellFigures): string =>
    ceiling === 0
      ? whole(eventsPerSecond)
      : `${whole(eventsPerSecond)} (${percent(eventsPerSecond / ceiling)})`;
  const pushbacks = cells.reduce((sum, cell) => sum + cell.pushbacks, 0);
  const errors = cells.reduce((sum, cell) => sum + cell.errors, 0);
  const sections = [
    [
      `${report.workload}, at least ${report.secondsPerCell} s a cell`,
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; the load generator runs on the same machine`,
      `Node ${machine.node}, Postgres ${report.postgres ?? 'unknown'}, commit ${machine.commit}`,
    ],
    table(`events/s${ceiling === 0 ? '' : ' (share of COPY)'}`, cells, rate),
    table('P50 / P95 / P99 of an acknowledged request, ms', cells, ({ p50Ms, p95Ms, p99Ms }) =>
      [p50Ms, p95Ms, p99Ms].map(measured).join(' / '),
    ),
    table('processor time of the node / of the load generator, µs an event', cells, (cell) =>
      [cell.nodeCpuMicrosPerEvent ?? 0, cell.loadCpuMicrosPerEvent].map(measured).join(' / '),
    ),
    pushbacks + errors === 0
      ? ['no request was answered with 503, none failed']
      : table('requests answered with 503 / failed', cells, (cell) => `${cell.pushbacks} / ${cell.errors}`),
    cells.flatMap(({ batch, connections, firstError }) =>
      firstError === null ? [] : [`first failure at ${batch} × ${connections}: ${firstError}`],
    ),
    copyLines(report),
    sizeLines(report),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function copyLines({ copy }: BenchReport): string[] {
  if (copy.length === 0) return [];
  const rates = copy.map(
    ({ when, connections, rowsPerSecond }) =>
      `  ${when} the cells, ${connections} at a time: ${whole(rowsPerSecond)}`,
  );
  return ['binary COPY into the same table with its indexes, rows/s', ...rates];
}

function sizeLines({ sizes, nodeMegabytesMax }: BenchReport): string[] {
  const lines: string[] = [];
  if (sizes !== null) {
    lines.push(
      `on disk: ${whole(sizes.eventTableBytes)} bytes an event, table and indexes together, and ` +
        `${whole(sizes.otherBytes)} in other tables (${whole(sizes.events)} events)`,
    );
  }
  if (nodeMegabytesMax !== null) lines.push(`memory of the node: at most ${whole(nodeMegabytesMax)} MB`);
  return lines;
}

function table(title: string, cells: readonly CellFigures[], show: (cell: CellFigures) => string): string[] {
  const batches = [...new Set(cells.map(({ batch }) => batch))];
  const connections = [...new Set(cells.map((cell) => cell.connections))];
  const rows = [
    ['events a request', ...connections.map((count) => `${count} connection${count === 1 ? '' : 's'}`)],
    ...batches.map((batch) => [
      String(batch),
      ...connections.map((count) => {
        const cell = cells.find((candidate) => candidate.batch === batch && candidate.connections === count);
        return cell === undefined ? '–' : show(cell);
      }),
    ]),
  ];
  return [title, ...textTable(rows)];
}

/** A dash where nothing was measured. */
function measured(value: number): string {
  return value === 0 ? '–' : short(value);
}
