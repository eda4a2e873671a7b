import { payloadBytes } from '../../load/request-template.ts';
import { measureCopy } from '../../ingest/copy-ceiling.ts';
import { median } from '../../crypto/measure.ts';
import { percent, short, times, whole } from '../../report/number-text.ts';
import { measureSizes } from '../../target/target.ts';
import { peakMegabytes } from '../../target/machine.ts';
import { type CostedCell, measureCell, nodeSettings } from '../cells.ts';
import { databaseTable } from '../database-figures.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { publishedBytesPerEvent, publishedIngest, publishedIngestLatency } from '../published-figures.ts';
import {
  type BarChart,
  figure,
  type Figure,
  type Findings,
  judge,
  type LineChart,
  type Table,
  type Target,
} from '../report.ts';

/** How the published table is laid out. */
const batchSizes = Object.keys(publishedIngest).map(Number);
const connectionCounts = Object.keys(publishedIngest[1]!).map(Number);
const largeCells = [
  { payload: 'nested-10k', batch: 1, connections: 10 },
  { payload: 'nested-10k', batch: 10, connections: 10 },
  { payload: 'nested-10k', batch: 100, connections: 10 },
  { payload: 'nested-100k', batch: 1, connections: 10 },
  { payload: 'nested-100k', batch: 10, connections: 10 },
  { payload: 'nested-100k', batch: 50, connections: 4 },
];
/** So that every connection for appends has its share. */
const streams = 4;
const copyConnections = 2;
/** Some 150 MB at once, to a node that admits less. */
const flood = { batch: 500, connections: 200 };
const floodMegabytes = 64;

interface Flood extends CostedCell {
  /** Of the node at its most. */
  readonly megabytes: number;
}

/** Appends over HTTP: the published table with payloads of two sizes, beside what binary COPY reaches. */
export const ingest: Part = {
  name: 'ingest',
  title: 'Ingest',
  seconds: 270,
  measure: async (bench) => {
    const node = await bench.startNode(await bench.newDatabase(), nodeSettings);
    const grids: Grid[] = [];
    for (const shape of shapes) grids.push(await measureGrid(bench, node, shape));
    const large = await measureLarge(bench, node);
    const database = await databaseTable(node);
    const megabytes = peakMegabytes(node.pid);
    await node.stop();
    const refused = await measureFlood(bench);
    const projecting = await measureProjecting(bench);
    const rss = [
      figure('ingest.node_megabytes_max', megabytes, 'MB', 'lower'),
      figure('ingest.node_megabytes_max_flooded', refused.megabytes, 'MB', 'lower'),
    ];
    const findings = [...grids.map(gridFindings), largeFindings(large), floodFindings(refused)];
    const memoryTarget = (when: string, measured: number): Target =>
      judge({
        ...{ item: 2, what: `memory of the node (RSS) at its most, ${when}`, limit: 'at most' },
        ...{ wanted: 600, measured, unit: 'MB' },
      });
    return {
      figures: [
        ...findings.flatMap(({ figures }) => figures),
        ...rss,
        ...projectionFigures(grids, projecting),
      ],
      targets: [
        ...findings.flatMap(({ targets }) => targets),
        memoryTarget('in the cells', megabytes),
        memoryTarget('while more comes than it admits', refused.megabytes),
      ],
      tables: [...findings.flatMap(({ tables }) => tables), database],
      charts: findings.flatMap(({ charts }) => charts),
      notes: notes(projecting, grids),
    };
  },
};

interface Shape {
  readonly payload: string;
  /** The part of each published figure that is to be reached. */
  readonly share: number;
  isFirm(batch: number): boolean;
}

const shapes: readonly Shape[] = [
  { payload: 'nested-1k', share: 0.5, isFirm: (batch) => batch <= 10 },
  { payload: 'small-150', share: 1, isFirm: () => true },
];

interface Grid {
  readonly shape: Shape;
  readonly cells: readonly CostedCell[];
  /** Rows a second of COPY, measured before the cells, between them and after them. */
  readonly copies: readonly number[];
  readonly bytesPerEvent: number | null;
}

async function measureGrid(bench: Bench, node: MeasuredNode, shape: Shape): Promise<Grid> {
  const { payload } = shape;
  const load = bench.openLoad();
  const batches = bench.pick(batchSizes, [1, 10, 100, 500], [10, 500]);
  const counts = bench.pick(connectionCounts, [1, 10, 100], [1, 10]);
  const span = bench.pick(
    { warmUpMs: 700, measureMs: 3_000, answersMin: 2 },
    { warmUpMs: 150, measureMs: 300, answersMin: 1 },
    { warmUpMs: 20, measureMs: 100, answersMin: 1 },
  );
  const copies = [await copyOnce(bench, node, payload)];
  await warmUp(bench, node, payload);
  const cells: CostedCell[] = [];
  for (const batch of batches) {
    // The ceiling that the largest requests are held to is measured beside them.
    if (batch === 500) copies.push(await copyOnce(bench, node, payload));
    for (const connections of counts) {
      bench.say(`${payload}, ${batch} × ${connections}`);
      cells.push(await measureCell(bench, node, load, { payload, batch, connections, streams, ...span }));
    }
  }
  copies.push(await copyOnce(bench, node, payload));
  return { shape, cells, copies, bytesPerEvent: await bytesOnDisk(node, payload) };
}

/** Until what the node does most is compiled. */
async function warmUp(bench: Bench, node: MeasuredNode, payload: string): Promise<void> {
  bench.say(`${payload}, warming up`);
  const measureMs = bench.pick(4_000, 1_500, 50);
  const asked = { payload, batch: 100, connections: 10, streams, warmUpMs: 0, measureMs };
  await measureCell(bench, node, bench.openLoad(), asked);
}

function copyOnce(bench: Bench, { databaseUrl }: MeasuredNode, payload: string): Promise<number> {
  bench.say(`${payload}, COPY`);
  const measureMs = bench.pick(2_000, 400, 150);
  return measureCopy({ databaseUrl, payload, connections: copyConnections, measureMs });
}

/** Only where the table holds nothing but events of this payload. */
async function bytesOnDisk({ databaseUrl }: MeasuredNode, payload: string): Promise<number | null> {
  if (payload !== 'nested-1k') return null;
  const { eventTableBytes, otherBytes } = await measureSizes(databaseUrl);
  return eventTableBytes + otherBytes;
}

interface LargeCell extends CostedCell {
  readonly payload: string;
  readonly copy: number;
}

async function measureLarge(bench: Bench, node: MeasuredNode): Promise<LargeCell[]> {
  const load = bench.openLoad();
  const span = bench.pick(
    { warmUpMs: 500, measureMs: 2_500 },
    { warmUpMs: 100, measureMs: 400 },
    { warmUpMs: 20, measureMs: 100 },
  );
  const cells: LargeCell[] = [];
  const copies = new Map<string, number>();
  for (const asked of bench.pick(largeCells, largeCells, largeCells.slice(0, 1))) {
    const { payload, batch, connections } = asked;
    const copy = copies.get(payload) ?? (await copyOnce(bench, node, payload));
    copies.set(payload, copy);
    bench.say(`${payload}, ${batch} × ${connections}`);
    cells.push({ payload, copy, ...(await measureCell(bench, node, load, { ...asked, streams, ...span })) });
  }
  return cells;
}

async function measureFlood(bench: Bench): Promise<Flood> {
  bench.say(`more than is admitted: ${flood.batch} × ${flood.connections}`);
  const bounds = { MAX_BYTES_IN_FLIGHT: String(floodMegabytes * 1_048_576) };
  const node = await bench.startNode(await bench.newDatabase(), { ...nodeSettings, ...bounds });
  await warmUp(bench, node, 'nested-1k');
  const span = bench.pick(
    { warmUpMs: 1_000, measureMs: 6_000 },
    { warmUpMs: 300, measureMs: 2_000 },
    { warmUpMs: 20, measureMs: 100 },
  );
  const { batch, connections } = bench.pick(flood, flood, { batch: 10, connections: 20 });
  const load = bench.openLoad();
  const asked = { payload: 'nested-1k', batch, connections, streams, answersMin: 0 };
  const cell = await measureCell(bench, node, load, { ...asked, ...span });
  const megabytes = peakMegabytes(node.pid);
  await node.stop();
  return { ...cell, megabytes };
}

/** The same as one of the cells, on a node with all of its default settings. */
async function measureProjecting(bench: Bench): Promise<CostedCell> {
  bench.say('with projections');
  const node = await bench.startNode(await bench.newDatabase());
  await warmUp(bench, node, 'nested-1k');
  const span = bench.pick(
    { warmUpMs: 700, measureMs: 3_000 },
    { warmUpMs: 150, measureMs: 350 },
    { warmUpMs: 20, measureMs: 100 },
  );
  const cell = bench.pick(
    { batch: 100, connections: 10 },
    { batch: 100, connections: 10 },
    { batch: 10, connections: 10 },
  );
  return measureCell(bench, node, bench.openLoad(), { payload: 'nested-1k', ...cell, streams, ...span });
}

function gridFindings({ shape, cells, copies, bytesPerEvent }: Grid): Findings {
  const { payload, share } = shape;
  const ceiling = median(copies);
  const rows = [...new Set(cells.map(({ batch }) => batch))];
  const targets: Target[] = cells.map(({ batch, connections, eventsPerSecond }) =>
    judge({
      item: 1,
      what: `${payload}, ${batch} × ${connections}: ${share === 1 ? 'the published figure' : 'half of the published figure'}`,
      limit: 'at least',
      wanted: share * publishedOf(batch, connections),
      measured: eventsPerSecond,
      unit: 'events/s',
      firm: shape.isFirm(batch),
    }),
  );
  const largest = cells.find(({ batch, connections }) => batch === 500 && connections === 10);
  if (largest !== undefined && share < 1) {
    targets.push(
      judge({
        ...{
          item: 1,
          what: `${payload}, 500 × 10: share of binary COPY on two connections`,
          limit: 'at least',
        },
        ...{ wanted: 0.6, measured: largest.eventsPerSecond / ceiling, unit: 'of the ceiling' },
      }),
    );
  }
  for (const batch of rows) {
    const row = cells.filter((cell) => cell.batch === batch);
    const most = row.at(-1)!;
    const best = Math.max(...row.map(({ eventsPerSecond }) => eventsPerSecond));
    targets.push(
      judge({
        item: 2,
        what: `${payload}, ${batch} a request: ${most.connections} connections beside the best in the row`,
        ...{ limit: 'at least', wanted: 0.8, measured: most.eventsPerSecond / best, unit: 'of the best' },
      }),
    );
  }
  const figures: Figure[] = cells.flatMap((cell) => {
    const { batch, connections, eventsPerSecond, p50Ms, p95Ms, p99Ms } = cell;
    const name = `ingest.${payload}.${batch}x${connections}`;
    const [p50, p95, p99] = publishedIngestLatency[batch] ?? [null, null, null];
    return [
      figure(
        `${name}.events_per_second`,
        eventsPerSecond,
        'events/s',
        'higher',
        publishedOf(batch, connections),
      ),
      figure(`${name}.p50_ms`, p50Ms, 'ms', 'lower', p50),
      figure(`${name}.p95_ms`, p95Ms, 'ms', 'lower', p95),
      figure(`${name}.p99_ms`, p99Ms, 'ms', 'lower', p99),
    ];
  });
  figures.push(figure(`ingest.${payload}.copy_ceiling`, ceiling, 'rows/s', 'higher'));
  if (largest !== undefined) {
    figures.push(
      figure(`ingest.${payload}.500x10.share_of_copy`, largest.eventsPerSecond / ceiling, 'share', 'higher'),
      figure(`ingest.${payload}.500x10.node_cpu`, largest.cpu.node, 'µs an event', 'lower'),
      figure(`ingest.${payload}.500x10.postgres_cpu`, largest.cpu.postgres, 'µs an event', 'lower'),
    );
  }
  if (bytesPerEvent !== null) {
    figures.push(
      figure(`ingest.${payload}.bytes_per_event`, bytesPerEvent, 'bytes', 'lower', publishedBytesPerEvent),
    );
    targets.push(
      judge({
        ...{ item: 6, what: 'on disk for an event of 1 KB payload, indexes included', limit: 'at most' },
        ...{ wanted: 2_048, measured: bytesPerEvent, unit: 'bytes' },
      }),
    );
  }
  return {
    figures,
    targets,
    tables: gridTables(payload, cells, ceiling),
    charts: [rateChart(shape, cells, ceiling), latencyChart(payload, cells)],
    notes: [],
  };
}

function gridTables(payload: string, cells: readonly CostedCell[], ceiling: number): Table[] {
  const size = `${payload} (${whole(payloadBytes(payload))} bytes of payload)`;
  const table = (title: string, show: (cell: CostedCell) => string): Table => {
    const counts = [...new Set(cells.map(({ connections }) => connections))];
    const batches = [...new Set(cells.map(({ batch }) => batch))];
    return {
      title,
      columns: ['events a request', ...counts.map((count) => `${count} connection${count === 1 ? '' : 's'}`)],
      rows: batches.map((batch) => [
        String(batch),
        ...counts.map((count) =>
          show(cells.find((cell) => cell.batch === batch && cell.connections === count)!),
        ),
      ]),
    };
  };
  return [
    table(
      `${size}: events/s, in brackets the ratio to the published figure; COPY reaches ${whole(ceiling)} rows/s`,
      ({ batch, connections, eventsPerSecond }) =>
        `${whole(eventsPerSecond)} (${times(eventsPerSecond / publishedOf(batch, connections))})`,
    ),
    table(`${size}: share of the COPY ceiling`, ({ eventsPerSecond }) => percent(eventsPerSecond / ceiling)),
    table(`${size}: P50 / P95 / P99 of a request, ms`, ({ p50Ms, p95Ms, p99Ms }) =>
      [p50Ms, p95Ms, p99Ms].map(short).join(' / '),
    ),
    table(`${size}: processor time of node / Postgres / load, µs an event`, ({ cpu }) =>
      [cpu.node, cpu.postgres, cpu.load].map(short).join(' / '),
    ),
    table(
      `${size}: requests answered, of them 503 / failed`,
      ({ requests, pushbacks, errors }) => `${whole(requests)}, ${pushbacks} / ${errors}`,
    ),
  ];
}

function rateChart({ payload, share }: Shape, cells: readonly CostedCell[], ceiling: number): BarChart {
  const counts = [...new Set(cells.map(({ connections }) => connections))];
  return {
    kind: 'bars',
    name: `rates-${payload}`,
    title: `Events a second, payload ${payload}`,
    says: 'by events a request; one bar for each number of connections',
    unit: 'events/s',
    series: counts.map((count) => `${count} connection${count === 1 ? '' : 's'}`),
    markName: share === 1 ? 'published' : 'half of the published figure',
    levels: [{ name: 'binary COPY, two connections', value: ceiling }],
    groups: [...new Set(cells.map(({ batch }) => batch))].map((batch) => ({
      name: `${batch} a request`,
      bars: cells
        .filter((cell) => cell.batch === batch)
        .map(({ connections, eventsPerSecond }) => ({
          value: eventsPerSecond,
          mark: share * publishedOf(batch, connections),
        })),
    })),
  };
}

function latencyChart(payload: string, cells: readonly CostedCell[]): LineChart {
  const counted = cells.filter(({ connections, requests }) => connections === 10 && requests > 0);
  return {
    kind: 'lines',
    name: `latency-${payload}`,
    title: `Latency of requests on 10 connections, payload ${payload}`,
    says: 'the share of requests answered within a time',
    ...{ unitX: 'ms', unit: '%' },
    lines: counted.map(({ batch, buckets }) => {
      const total = buckets.reduce((sum, { count }) => sum + count, 0);
      let sum = 0;
      return {
        name: `${batch} a request`,
        points: buckets.map(({ toMs, count }) => [toMs, (100 * (sum += count)) / total] as const),
      };
    }),
  };
}

function largeFindings(cells: readonly LargeCell[]): Findings {
  const megabytes = (payload: string, rate: number): number => (rate * payloadBytes(payload)) / 1_000_000;
  return {
    figures: cells.map(({ payload, batch, connections, eventsPerSecond }) =>
      figure(
        `ingest.${payload}.${batch}x${connections}.megabytes_per_second`,
        megabytes(payload, eventsPerSecond),
        'MB/s',
        'higher',
      ),
    ),
    targets: [],
    tables: [
      {
        title: 'Large payloads, in megabytes of payload a second',
        columns: [
          'payload',
          'events a request × connections',
          'MB/s',
          'COPY MB/s',
          'share',
          'P50 / P95 / P99 ms',
          '503 / failed',
        ],
        rows: cells.map((cell) => [
          cell.payload,
          `${cell.batch} × ${cell.connections}`,
          short(megabytes(cell.payload, cell.eventsPerSecond)),
          short(megabytes(cell.payload, cell.copy)),
          percent(cell.eventsPerSecond / cell.copy),
          [cell.p50Ms, cell.p95Ms, cell.p99Ms].map(short).join(' / '),
          `${cell.pushbacks} / ${cell.errors}`,
        ]),
      },
    ],
    charts: [],
    notes: [],
  };
}

function floodFindings({ batch, connections, pushbacks, errors, eventsPerSecond, ...cell }: Flood): Findings {
  const { pushbackP50Ms, pushbackP99Ms } = cell;
  const name = `${batch} × ${connections}`;
  return {
    figures: pushbacks === 0 ? [] : [figure('ingest.refused_p99_ms', pushbackP99Ms, 'ms', 'lower')],
    // Without a single refusal there is nothing to judge.
    targets:
      pushbacks === 0
        ? []
        : [
            judge({
              ...{ item: 2, what: `P99 of an answer 503, at ${name}`, limit: 'at most' },
              ...{ wanted: 50, measured: pushbackP99Ms, unit: 'ms' },
            }),
          ],
    tables: [
      {
        title: `More than a node admits: ${name}, nested-1k, to one with MAX_BYTES_IN_FLIGHT of ${floodMegabytes} MiB`,
        columns: ['events/s', 'answered 503', 'P50 / P99 of a 503, ms', 'failed'],
        rows: [
          [
            whole(eventsPerSecond),
            String(pushbacks),
            [pushbackP50Ms, pushbackP99Ms].map(short).join(' / '),
            String(errors),
          ],
        ],
      },
    ],
    charts: [],
    notes: [],
  };
}

function projectionFigures(grids: readonly Grid[], { eventsPerSecond }: CostedCell): Figure[] {
  const plain = sameCell(grids);
  if (plain === undefined) return [];
  return [
    figure('ingest.with_projections.share', eventsPerSecond / plain.eventsPerSecond, 'share', 'higher'),
  ];
}

function sameCell([first]: readonly Grid[]): CostedCell | undefined {
  return first?.cells.find(({ batch, connections }) => batch === 100 && connections === 10);
}

function notes(projecting: CostedCell, grids: readonly Grid[]): string[] {
  const plain = sameCell(grids);
  const cost =
    plain === undefined
      ? ''
      : ` With the defaults, 100 × 10 reached ${whole(projecting.eventsPerSecond)} events/s in place of ${whole(plain.eventsPerSecond)}.`;
  return [
    `A node, Postgres and the load are processes of their own on the same cores. Each connection is a closed loop; they spread over ${streams} streams. Nobody knows the payload of the published table.`,
    `The ceiling is binary COPY of the same rows into the same table with its indexes, on ${copyConnections} connections, in the same run: the median of three measurements, before the cells, before those of 500 and after them.`,
    `Projections are off.${cost}`,
  ];
}

function publishedOf(batch: number, connections: number): number {
  return publishedIngest[batch]?.[connections] ?? Number.NaN;
}
