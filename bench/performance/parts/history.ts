import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { countingLag } from '../../../storage/postgres/queries/counting-lag.query.ts';
import { send } from '../../../storage/postgres/query.ts';
import type { CellFigures } from '../../load/cell.ts';
import { median } from '../../crypto/measure.ts';
import { percent, short, whole } from '../../report/number-text.ts';
import { withClient } from '../../target/postgres.ts';
import { type CellSpan, nodeSettings } from '../cells.ts';
import { fillHistory } from '../fill-history.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { figure, judge } from '../report.ts';
import { readWal, type WalFigures, walPerEvent } from '../wal-figures.ts';

const payload = 'small-150';
const batch = 100;
const connections = 10;
const stores = 10;
/** Fewer pages logged whole an event are no cost to speak of: then the time after the checkpoint is over. */
const pageImagesMax = 0.05;
/** Of a store: fewer events than these are left for later. */
const countedAtOnce = 10_000;
const countingMsMax = 10_000;
const pollMs = 100;

interface Side {
  readonly node: MeasuredNode;
  readonly tenantId: string;
  readonly storeIds: readonly string[];
}

/** One run of the load, and what it wrote to the WAL. */
interface Run extends CellFigures {
  readonly wal: WalFigures;
}

/** Whether an append costs more the more is stored. */
export const history: Part = {
  name: 'history',
  title: 'Cost over history',
  seconds: 230,
  measure: async (bench) => {
    const events = bench.pick(10_000_000, 200_000, 20_000);
    const rounds = bench.pick(5, 2, 1);
    const full = await openFull(bench, events);
    const empty = await openEmpty(bench);
    const warmUp = await warmUpFull(bench, full);
    const [fresh] = warmUp;
    await measureOnce(bench, empty, 'warming up the empty side', warmUpSpan(bench));

    const measured = { empty: [] as Run[], full: [] as Run[] };
    for (let round = 1; round <= rounds; round++) {
      const step = `round ${round} of ${rounds}`;
      measured.empty.push(await measureOnce(bench, empty, step, roundSpan(bench)));
      measured.full.push(await measureOnce(bench, full, step, roundSpan(bench)));
    }
    const summary = { empty: summarise(measured.empty), full: summarise(measured.full) };
    const rateShare = summary.full.eventsPerSecond / summary.empty.eventsPerSecond;
    const p99Share = summary.full.p99Ms / summary.empty.p99Ms;
    const freshShare = fresh.eventsPerSecond / summary.empty.eventsPerSecond;
    const row = (name: string, figures: Summary): string[] => [
      name,
      whole(figures.eventsPerSecond),
      short(figures.p50Ms),
      short(figures.p99Ms),
      short(figures.pageImages),
      whole(figures.walBytes),
      percent(figures.eventsPerSecond / summary.empty.eventsPerSecond),
      percent(figures.p99Ms / summary.empty.p99Ms),
    ];
    return {
      figures: [
        figure('history.rate_share', rateShare, 'share', 'higher'),
        figure('history.p99_share', p99Share, 'share', 'lower'),
        figure('history.after_checkpoint_rate_share', freshShare, 'share', 'higher'),
        figure('history.events_per_second', summary.full.eventsPerSecond, 'events/s', 'higher'),
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
          columns: [
            ...['stored before', 'events/s', 'P50 ms', 'P99 ms', 'whole pages logged an event'],
            ...['bytes of WAL an event', 'rate beside empty', 'P99 beside empty'],
          ],
          rows: [
            row('0', summary.empty),
            row(whole(events), summary.full),
            row(`${whole(events)}, right after a checkpoint`, summarise([fresh])),
          ],
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
        `Two nodes with a database each on one Postgres: one empty at first, one with ${whole(events)} events of ${stores} stores, put there by COPY with all indexes, heads and counts of entities. The appends go to stores that have this history. Between runs the node counts entities, as it does in quiet moments.`,
        sayWarmUp(bench, warmUp),
        sayCheckpoints([...measured.empty, ...measured.full]),
      ],
    };
  },
};

function sayWarmUp(bench: Bench, warmUp: readonly Run[]): string {
  const last = warmUp.at(-1)!;
  const events = warmUp.reduce((sum, { eventsInAll }) => sum + eventsInAll, 0);
  const { measureMs } = warmUpSpan(bench);
  const course = warmUp
    .map(({ eventsPerSecond, wal }) => `${whole(eventsPerSecond)} (${short(wal.pageImages)})`)
    .join(', ');
  return (
    'Filling ends with a checkpoint, and the first change of a page after one writes all of it to the WAL. Event ids and entities come in ' +
    'no order, so each event changes two pages of indexes somewhere: the more is stored, the longer it takes until all have been changed once. ' +
    'The targets are judged after that, as a node is nearly all the time; the last row of the table and this warm-up are the time before. ' +
    `It took ${whole(events)} events; events a second, and whole pages logged an event, in steps of ${whole(measureMs / 1_000)} s: ${course}. ` +
    (last.wal.pageImages <= pageImagesMax
      ? `It ends when fewer than ${pageImagesMax} pages are logged for an event.`
      : `It was ended after its longest time, before fewer than ${pageImagesMax} pages were logged for an event: the rounds pay for some still.`)
  );
}

function sayCheckpoints(runs: readonly Run[]): string {
  const checkpoints = runs.reduce((sum, { wal }) => sum + wal.checkpoints, 0);
  return checkpoints === 0
    ? 'No checkpoint ended during the rounds.'
    : `Checkpoints that ended during the rounds: ${checkpoints}.`;
}

interface Summary extends Pick<CellFigures, 'eventsPerSecond' | 'p50Ms' | 'p99Ms'> {
  readonly pageImages: number;
  readonly walBytes: number;
}

function summarise(runs: readonly Run[]): Summary {
  const of = (value: (run: Run) => number): number => median(runs.map(value));
  return {
    eventsPerSecond: of(({ eventsPerSecond }) => eventsPerSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    pageImages: of(({ wal }) => wal.pageImages),
    walBytes: of(({ wal }) => wal.bytes),
  };
}

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

/** Loads it until its pages have been changed once since the checkpoint, for a minute at most. */
async function warmUpFull(bench: Bench, full: Side): Promise<[Run, ...Run[]]> {
  const stepsMax = bench.pick(10, 2, 1);
  const step = (number: number): Promise<Run> =>
    measureOnce(bench, full, `after the checkpoint, ${number} of at most ${stepsMax}`, warmUpSpan(bench));
  const runs: [Run, ...Run[]] = [await step(1)];
  while (runs.length < stepsMax && runs.at(-1)!.wal.pageImages > pageImagesMax) {
    runs.push(await step(runs.length + 1));
  }
  return runs;
}

function warmUpSpan(bench: Bench): CellSpan {
  return bench.pick(
    { warmUpMs: 500, measureMs: 5_000 },
    { warmUpMs: 100, measureMs: 1_000 },
    { warmUpMs: 20, measureMs: 80 },
  );
}

function roundSpan(bench: Bench): CellSpan {
  return bench.pick(
    { warmUpMs: 500, measureMs: 4_000 },
    { warmUpMs: 100, measureMs: 500 },
    { warmUpMs: 20, measureMs: 80 },
  );
}

async function measureOnce(
  bench: Bench,
  { node, tenantId, storeIds }: Side,
  step: string,
  span: CellSpan,
): Promise<Run> {
  bench.say(step);
  const { url, apiKey, databaseUrl } = node;
  const before = await readWal(databaseUrl);
  const load = bench.openLoad();
  const asked = { url, apiKey, tenantId, payload, batch, connections, streams: storeIds, signed: null };
  const figures = await load.run({ ...asked, ...span });
  load.close();
  const wal = walPerEvent(before, await readWal(databaseUrl), figures.eventsInAll);
  await awaitCounts(databaseUrl);
  return { ...figures, wal };
}

/** Entities are counted in quiet moments: what one side has to count must not run beside the other. */
async function awaitCounts(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    for (let waitedMs = 0; waitedMs < countingMsMax; waitedMs += pollMs) {
      const [uncounted = 0] = await send(client, countingLag, null);
      if (uncounted < countedAtOnce) return;
      await sleep(pollMs);
    }
  });
}
