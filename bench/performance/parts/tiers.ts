import { randomUUID } from 'node:crypto';
import type { OpenLoopFigures } from '../../load/open-loop.ts';
import { percent, short, whole } from '../../report/number-text.ts';
import { type CpuCost, costSince, nodeSettings, readClocks } from '../cells.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { publishedTiers, type Tier } from '../published-figures.ts';
import { figure, type Figure, type Findings, judge, type Target } from '../report.ts';

const batch = 100;
const connections = 64;
const streams = 8;
/** Of the wanted pace: what clocks and the last requests take away is no missed target. */
const paceShareMin = 0.99;

interface TierRun {
  readonly tier: Tier;
  readonly payload: string;
  readonly figures: OpenLoopFigures;
  readonly cpu: CpuCost;
}

/** Requests on schedule at the pace of each service tier. */
export const tiers: Part = {
  name: 'tiers',
  title: 'Service tiers',
  seconds: 270,
  measure: async (bench) => {
    const runs: TierRun[] = [];
    const shapes = bench.pick(['nested-1k', 'small-150'], ['nested-1k', 'small-150'], ['small-150']);
    const chosen = bench.pick(publishedTiers, publishedTiers, publishedTiers.slice(0, 1));
    for (const tier of chosen) {
      for (const payload of shapes) {
        // The smaller payload says how far the highest tier is off when the larger one does not hold it.
        const isNeeded = payload === shapes[0] || (tier === chosen.at(-1) && !holds(runs.at(-1)!));
        if (isNeeded) runs.push(await measureTier(bench, tier, payload));
      }
    }
    return findingsOf(runs);
  },
};

async function measureTier(bench: Bench, tier: Tier, payload: string): Promise<TierRun> {
  bench.say(`${tier.name}, ${payload}`);
  // Each on a node and a table of its own, so that none pays for what another left behind.
  const node: MeasuredNode = await bench.startNode(await bench.newDatabase(), nodeSettings);
  const span = bench.pick(
    { warmUpMs: 3_000, measureMs: 60_000 },
    { warmUpMs: 500, measureMs: 3_000 },
    { warmUpMs: 50, measureMs: 300 },
  );
  const clocks = readClocks(node.pid, bench.postgres.pid);
  const { url, apiKey } = node;
  const { eventsPerSecond } = tier;
  const shape = { payload, batch, eventsPerSecond, connections, streams };
  const load = bench.openLoad();
  const figures = await load.runOpenLoop({ url, apiKey, tenantId: randomUUID(), ...shape, ...span });
  const cpu = costSince(clocks, figures);
  await node.stop();
  return { tier, payload, figures, cpu };
}

/** Whether the pace and every percentile were held, and nothing was refused. */
function holds({ tier, figures }: TierRun): boolean {
  const [p50, p95, p99] = tier.ingestMs;
  const { p50Ms, p95Ms, p99Ms, eventsPerSecond, pushbacks, errors } = figures;
  const isFastEnough = p50Ms <= p50 && p95Ms <= p95 && p99Ms <= p99;
  return isFastEnough && eventsPerSecond >= paceShareMin * tier.eventsPerSecond && pushbacks + errors === 0;
}

function findingsOf(runs: readonly TierRun[]): Findings {
  const held = runs.filter(holds).map(({ tier, payload }) => `${tier.name} (${payload})`);
  return {
    figures: runs.flatMap(figuresOf),
    targets: runs.filter(({ payload }, index) => payload === 'nested-1k' || index === 0).flatMap(targetsOf),
    tables: [
      {
        title: 'Ingest at the pace of each tier',
        columns: [
          'tier',
          'payload',
          'wanted/s',
          'events/s',
          'P50 ms',
          'P95 ms',
          'P99 ms',
          '503',
          'failed',
          'cores of node / Postgres / load',
          'held',
        ],
        rows: runs.map((run) => {
          const { tier, payload, figures, cpu } = run;
          const beside = (value: number, published: number): string => `${short(value)} (${published})`;
          const [p50, p95, p99] = tier.ingestMs;
          const cores = [cpu.node, cpu.postgres, cpu.load].map((micros) =>
            ((micros * figures.eventsPerSecond) / 1_000_000).toFixed(2),
          );
          return [
            tier.name,
            payload,
            whole(tier.eventsPerSecond),
            `${whole(figures.eventsPerSecond)}${figures.gaveUp ? ' (given up)' : ''}`,
            beside(figures.p50Ms, p50),
            beside(figures.p95Ms, p95),
            beside(figures.p99Ms, p99),
            String(figures.pushbacks),
            String(figures.errors),
            cores.join(' / '),
            holds(run) ? 'yes' : 'no',
          ];
        }),
      },
    ],
    charts: [
      {
        kind: 'bars',
        name: 'latency',
        title: 'Latency at the pace of each tier',
        says: 'from the moment at which a request was due to its answer',
        unit: 'ms',
        series: ['P50', 'P95', 'P99'],
        markName: 'published',
        levels: [],
        groups: runs
          .filter(({ figures }) => !figures.gaveUp)
          .map(({ tier, payload, figures: { p50Ms, p95Ms, p99Ms } }) => ({
            name: `${tier.name}, ${payload}`,
            bars: [p50Ms, p95Ms, p99Ms].map((value, index) => ({ value, mark: tier.ingestMs[index]! })),
          })),
      },
      {
        kind: 'lines',
        name: 'histogram',
        title: 'How requests spread over latencies',
        says: 'the share of all requests that took about so long, in steps of a fifth of a power of ten',
        unitX: 'ms',
        unit: '%',
        lines: runs.map(({ tier, payload, figures: { buckets } }) => {
          const total = buckets.reduce((sum, { count }) => sum + count, 0);
          return {
            name: `${tier.name}, ${payload}`,
            points: buckets.map(({ toMs, count }) => [toMs, (100 * count) / total] as const),
          };
        }),
      },
    ],
    notes: [
      `Requests of ${batch} events go out when they are due, on at most ${connections} connections to ${streams} streams, whether or not those before them are answered; latency runs from the moment at which a request was due. A run is given up once requests wait for five seconds.`,
      held.length === 0 ? 'No tier was held.' : `Held: ${held.join(', ')}.`,
    ],
  };
}

function figuresOf({ tier, payload, figures }: TierRun): Figure[] {
  const name = `tiers.${tier.name.toLowerCase()}.${payload}`;
  const [p50, p95, p99] = tier.ingestMs;
  return [
    figure(`${name}.events_per_second`, figures.eventsPerSecond, 'events/s', 'higher', tier.eventsPerSecond),
    figure(`${name}.p50_ms`, figures.p50Ms, 'ms', 'lower', p50),
    figure(`${name}.p95_ms`, figures.p95Ms, 'ms', 'lower', p95),
    figure(`${name}.p99_ms`, figures.p99Ms, 'ms', 'lower', p99),
  ];
}

function targetsOf({ tier, payload, figures }: TierRun): Target[] {
  const firm = tier.name !== 'Dedicated';
  const of = (name: string): string => `${tier.name}, ${payload}: ${name}`;
  const times = (['P50', 'P95', 'P99'] as const).map((name, index) =>
    judge({
      ...{ item: 3, what: of(name), limit: 'at most', firm },
      wanted: tier.ingestMs[index]!,
      measured: [figures.p50Ms, figures.p95Ms, figures.p99Ms][index]!,
      unit: 'ms',
    }),
  );
  const missing = figures.pushbacks + figures.errors;
  return [
    judge({
      ...{ item: 3, what: of(`pace, of ${whole(tier.eventsPerSecond)} events/s`), limit: 'at least', firm },
      ...{
        wanted: paceShareMin,
        measured: figures.eventsPerSecond / tier.eventsPerSecond,
        unit: 'of the pace',
      },
      ...(missing === 0
        ? {}
        : { note: `${percent(missing / figures.requests)} of the requests were refused or failed` }),
    }),
    ...times,
  ];
}
