import { randomBytes } from 'node:crypto';
import type { CommittedRange, ScratchStream } from '../scratch-stream.ts';
import { openScratchStream } from '../scratch-stream.ts';
import { measureLoops, type OperationFigures } from '../../crypto/measure.ts';
import { short, times } from '../../report/number-text.ts';
import type { Part } from '../part.ts';
import { publishedQueries } from '../published-figures.ts';
import { figure, judge } from '../report.ts';

type QueryName = keyof typeof publishedQueries;

const names = Object.keys(publishedQueries) as QueryName[];
const rangeEvents = 100;
const historyEvents = 50;

/** What the log asks Postgres, one at a time, on a stream that has some history. */
export const queries: Part = {
  name: 'queries',
  title: 'Queries',
  seconds: 40,
  measure: async (bench) => {
    bench.say('filling a stream');
    const stream = await openScratchStream(await bench.newDatabase(), {
      events: bench.pick(100_000, 20_000, 1_000),
      commitments: bench.pick(2_000, 500, 50),
    });
    bench.release(() => stream.close());
    const span = bench.pick(
      { warmUpMs: 300, measureMs: 2_500 },
      { warmUpMs: 50, measureMs: 300 },
      { warmUpMs: 5, measureMs: 30 },
    );
    const measured = new Map<QueryName, OperationFigures>();
    for (const name of names) {
      bench.say(name);
      const run = operations[name];
      const next = async (): Promise<boolean> => {
        await run(stream);
        return true;
      };
      measured.set(name, await measureLoops([next], span));
    }
    const rows = names.map((name) => {
      const { p50Micros, p95Micros, p99Micros, perSecond } = measured.get(name)!;
      const ms = [p50Micros, p95Micros, p99Micros].map((micros) => micros / 1_000);
      return { name, perSecond, ms, published: publishedQueries[name] };
    });
    const percentiles = ['P50', 'P95', 'P99'] as const;
    return {
      figures: rows.flatMap(({ name, ms, published }) =>
        percentiles.map((percentile, index) =>
          figure(
            `queries.${name.replaceAll(' ', '-')}.${percentile.toLowerCase()}_ms`,
            ms[index]!,
            'ms',
            'lower',
            published[index],
          ),
        ),
      ),
      targets: rows.flatMap(({ name, ms, published }) =>
        percentiles.map((percentile, index) =>
          judge({
            ...{ item: 5, what: `${name}, ${percentile}`, limit: 'at most' },
            ...{ wanted: published[index]!, measured: ms[index]!, unit: 'ms' },
          }),
        ),
      ),
      tables: [
        {
          title: 'Queries, one at a time: P50 / P95 / P99 ms',
          columns: ['query', 'published', 'ours', 'a second', 'P50 faster', 'P99 faster'],
          rows: rows.map(({ name, ms, published, perSecond }) => [
            name,
            published.join(' / '),
            ms.map((value) => value.toFixed(2)).join(' / '),
            short(perSecond),
            times(published[0] / ms[0]!),
            times(published[2] / ms[2]!),
          ]),
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'latency',
          title: 'Queries, one at a time',
          says: 'milliseconds; what writes is durable before it counts',
          unit: 'ms',
          series: percentiles,
          markName: 'published',
          levels: [],
          groups: rows.map(({ name, ms, published }) => ({
            name,
            bars: ms.map((value, index) => ({ value, mark: published[index]! })),
          })),
        },
      ],
      notes: [
        `On a stream of nested 1 KB payloads, through the product's own log: an insert is a whole append, with the fence and a commit that is on the disk; a range is ${rangeEvents} events, a history the first ${historyEvents} events of an entity that has more, with their number. An inserted commitment is its row, durable.`,
      ],
    };
  },
};

const pick = (from: number, to: number): number => from + Math.floor(Math.random() * (to - from + 1));

const operations: Readonly<Record<QueryName, (stream: ScratchStream) => Promise<unknown>>> = {
  insert: (stream) => stream.append(1),
  'batch insert of 100': (stream) => stream.append(100),
  range: ({ log, store, filled }) => {
    const from = pick(1, filled - rangeEvents + 1);
    return log.readLegacy(store, from as never, (from + rangeEvents - 1) as never);
  },
  'entity history': (stream) =>
    stream.log.readLegacyEntity(stream.store, stream.entityOf(pick(1, stream.entities)), {
      offset: 0,
      limit: historyEvents,
    }),
  head: ({ log, store }) => log.heads(store),
  'insert commitment': (stream) => stream.insertCommitment(new Uint8Array(randomBytes(32))),
  'select commitment': ({ commitments, committed }) =>
    commitments.find('legacy', committed[pick(0, committed.length - 1)]!.batchId),
  'latest commitment': ({ commitments, stream, committed }) =>
    commitments.listFrom(stream, last(committed).sequenceEnd, 1),
};

function last(committed: readonly CommittedRange[]): CommittedRange {
  return committed.at(-1)!;
}
