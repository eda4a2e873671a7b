import { randomUUID } from 'node:crypto';
import type { CellFigures } from '../../load/cell.ts';
import { median } from '../../crypto/measure.ts';
import { percent, short, whole } from '../../report/number-text.ts';
import { nodeSettings } from '../cells.ts';
import { fillHistory } from '../fill-history.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { figure, judge } from '../report.ts';

const payload = 'small-150';
const batch = 100;
const connections = 10;
const stores = 10;

interface Side {
  readonly node: MeasuredNode;
  readonly tenantId: string;
  readonly storeIds: readonly string[];
}

/** Whether an append costs more the more is stored. */
export const history: Part = {
  name: 'history',
  title: 'Cost over history',
  seconds: 190,
  measure: async (bench) => {
    const events = bench.pick(10_000_000, 200_000, 20_000);
    const rounds = bench.pick(5, 2, 1);
    const full = await openFull(bench, events);
    const empty = await openEmpty(bench);
    const measured = { empty: [] as CellFigures[], full: [] as CellFigures[] };
    await measureOnce(bench, empty, 'warming up');
    await measureOnce(bench, full, 'warming up');
    for (let round = 1; round <= rounds; round++) {
      const step = `round ${round} of ${rounds}`;
      measured.empty.push(await measureOnce(bench, empty, step));
      measured.full.push(await measureOnce(bench, full, step));
    }
    const of = (cells: readonly CellFigures[], field: 'eventsPerSecond' | 'p50Ms' | 'p99Ms'): number =>
      median(cells.map((cell) => cell[field]));
    const rateShare = of(measured.full, 'eventsPerSecond') / of(measured.empty, 'eventsPerSecond');
    const p99Share = of(measured.full, 'p99Ms') / of(measured.empty, 'p99Ms');
    return {
      figures: [
        figure('history.rate_share', rateShare, 'share', 'higher'),
        figure('history.p99_share', p99Share, 'share', 'lower'),
        figure('history.events_per_second', of(measured.full, 'eventsPerSecond'), 'events/s', 'higher'),
      ],
      targets: [
        judge({
          ...{
            item: 8,
            what: `events/s with ${whole(events)} stored, beside an empty table`,
            limit: 'at least',
          },
          ...{ wanted: 0.85, measured: rateShare, unit: 'of that' },
        }),
        judge({
          ...{ item: 8, what: `P99 with ${whole(events)} stored, beside an empty table`, limit: 'at most' },
          ...{ wanted: 1.15, measured: p99Share, unit: 'of that' },
        }),
      ],
      tables: [
        {
          title: `${batch} events a request × ${connections} connections, ${payload}; medians of ${rounds} rounds in turns`,
          columns: ['stored before', 'events/s', 'P50 ms', 'P99 ms', 'beside empty'],
          rows: (['empty', 'full'] as const).map((side) => [
            side === 'empty' ? '0' : whole(events),
            whole(of(measured[side], 'eventsPerSecond')),
            short(of(measured[side], 'p50Ms')),
            short(of(measured[side], 'p99Ms')),
            side === 'empty' ? '' : `${percent(rateShare)} of the rate, ${percent(p99Share)} of the P99`,
          ]),
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'rates',
          title: 'Events a second, round by round',
          says: `${whole(events)} events stored before, beside an empty table`,
          unit: 'events/s',
          series: ['empty table', `${whole(events)} stored`],
          markName: null,
          levels: [],
          groups: measured.empty.map((cell, round) => ({
            name: `round ${round + 1}`,
            bars: [cell, measured.full[round]!].map(({ eventsPerSecond }) => ({
              value: eventsPerSecond,
              mark: null,
            })),
          })),
        },
      ],
      notes: [
        `Two nodes with a database each on one Postgres: one empty at first, one with ${whole(events)} events of ${stores} stores, put there by COPY with all indexes, heads and counts of entities. The appends go to stores that have this history.`,
      ],
    };
  },
};

async function openFull(bench: Bench, events: number): Promise<Side> {
  const url = await bench.newDatabase();
  const onProgress = (copied: number): void =>
    bench.say(`${whole(copied)} of ${whole(events)} events stored`);
  const { tenantId, storeIds } = await fillHistory(url, { events, stores, payload, onProgress });
  return { node: await bench.startNode(url, nodeSettings), tenantId, storeIds };
}

async function openEmpty(bench: Bench): Promise<Side> {
  const node = await bench.startNode(await bench.newDatabase(), nodeSettings);
  return { node, tenantId: randomUUID(), storeIds: Array.from({ length: stores }, () => randomUUID()) };
}

async function measureOnce(
  bench: Bench,
  { node, tenantId, storeIds }: Side,
  step: string,
): Promise<CellFigures> {
  bench.say(step);
  const { url, apiKey } = node;
  const span = bench.pick(
    { warmUpMs: 500, measureMs: 3_000 },
    { warmUpMs: 100, measureMs: 500 },
    { warmUpMs: 20, measureMs: 80 },
  );
  const load = bench.openLoad();
  const asked = { url, apiKey, tenantId, payload, batch, connections, streams: storeIds, signed: null };
  const figures = await load.run({ ...asked, ...span });
  load.close();
  return figures;
}
