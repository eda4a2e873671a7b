import { measureInMemory } from '../../crypto/commitments-in-memory.ts';
import { type DurableCommitmentFigures, measureInPostgres } from '../../crypto/commitments-in-postgres.ts';
import type { OperationFigures } from '../../crypto/measure.ts';
import { short, times, whole } from '../../report/number-text.ts';
import type { Part } from '../part.ts';
import { publishedCommitments, publishedTiers } from '../published-figures.ts';
import { figure, type Figure, judge, type Target } from '../report.ts';

const sizes = Object.keys(publishedCommitments).map(Number);
const wantedTimes = 4;
/** In the tables of the tiers: one commitment for as many events as come together in a moment of such a load. */
const tierEvents = 10;
const loops = 8;

/** Commitments: computed in memory, and made durable as a node makes them. */
export const commitments: Part = {
  name: 'commitments',
  title: 'Commitments',
  seconds: 45,
  measure: async (bench) => {
    const span = bench.pick(
      { warmUpMs: 300, measureMs: 2_000 },
      { warmUpMs: 50, measureMs: 250 },
      { warmUpMs: 5, measureMs: 30 },
    );
    bench.say('in memory');
    const memory = sizes.map((events) => measureInMemory(events, span));
    bench.say('by the service');
    const durable = await measureInPostgres(await bench.newDatabase(), {
      sizes,
      atATime: [1, loops],
      eventsInAll: bench.pick(400_000, 60_000, 16_000),
      span,
    });
    const alone = durable.filter(({ atATime }) => atATime === 1);
    const together = durable.filter(({ atATime }) => atATime === loops);
    const targets = [
      ...memory.map(targetOf('in memory, per core')),
      ...together.map(targetOf('by the service')),
    ];
    const rowsOf = (figures: OperationFigures & { events: number }): string[] => [
      whole(figures.perSecond),
      times(figures.perSecond / publishedCommitments[figures.events]!),
    ];
    const tierRun = together.find(({ events }) => events === tierEvents);
    return {
      figures: [
        ...memory.map(figureOf('memory')),
        ...alone.map(figureOf('service-1')),
        ...together.flatMap((one) => [
          figureOf(`service-${loops}`)(one),
          figure(`commitments.service-${loops}.${one.events}.p99_ms`, one.p99Micros / 1_000, 'ms', 'lower'),
        ]),
      ],
      targets: [...targets, ...(tierRun === undefined ? [] : tierTargets(tierRun))],
      tables: [
        {
          title: 'Commitments a second',
          columns: [
            'events',
            'published',
            'in memory',
            'ratio',
            'by the service, one at a time',
            'ratio',
            `${loops} at a time`,
            'ratio',
            `P50 / P95 / P99 ms, ${loops} at a time`,
          ],
          rows: sizes.map((events, index) => [
            whole(events),
            whole(publishedCommitments[events]!),
            ...rowsOf(memory[index]!),
            ...rowsOf(alone[index]!),
            ...rowsOf(together[index]!),
            percentilesMs(together[index]!),
          ]),
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'rates',
          title: 'Commitments a second',
          says: 'by the number of their events',
          unit: '/s',
          series: ['in memory', 'by the service, one at a time', `by the service, ${loops} at a time`],
          markName: 'published',
          levels: [],
          groups: sizes.map((events, index) => ({
            name: `${events} events`,
            bars: [memory, alone, together].map((column) => ({
              value: column[index]!.perSecond,
              mark: publishedCommitments[events]!,
            })),
          })),
        },
      ],
      notes: [
        'In memory: the tree over given leaves and the state root that chains it to the one before, on one thread. By the service: leaves are read from Postgres, the root is checked a second way, the commitment is signed and durable when it counts. The published figures do not say whether anything was stored.',
      ],
    };
  },
};

function targetOf(how: string) {
  return ({ events, perSecond }: { events: number; perSecond: number }): Target =>
    judge({
      ...{
        item: 5,
        what: `commitments of ${whole(events)} events ${how}: times the published rate`,
        limit: 'at least',
      },
      ...{ wanted: wantedTimes, measured: perSecond / publishedCommitments[events]!, unit: '×' },
    });
}

function figureOf(how: string) {
  return ({ events, perSecond }: { events: number; perSecond: number }): Figure =>
    figure(
      `commitments.${how}.${events}.per_second`,
      perSecond,
      '/s',
      'higher',
      publishedCommitments[events],
    );
}

/** The rate of each tier; the times below it only where the rate is reached are worth a target. */
function tierTargets({ perSecond, p95Micros, p99Micros }: DurableCommitmentFigures): Target[] {
  return publishedTiers.flatMap(({ name, commitmentsPerSecond, commitmentMs: [, p95, p99] }) => {
    const of = { item: 3, firm: name !== 'Dedicated' };
    const what = (figureName: string): string =>
      `${name}: durable commitments of ${tierEvents} events, ${figureName}`;
    return [
      judge({
        ...of,
        what: what('a second'),
        limit: 'at least',
        wanted: commitmentsPerSecond,
        measured: perSecond,
        unit: '/s',
      }),
      judge({
        ...of,
        what: what('P95'),
        limit: 'at most',
        wanted: p95,
        measured: p95Micros / 1_000,
        unit: 'ms',
      }),
      judge({
        ...of,
        what: what('P99'),
        limit: 'at most',
        wanted: p99,
        measured: p99Micros / 1_000,
        unit: 'ms',
      }),
    ];
  });
}

function percentilesMs({ p50Micros, p95Micros, p99Micros }: OperationFigures): string {
  return [p50Micros, p95Micros, p99Micros].map((micros) => short(micros / 1_000)).join(' / ');
}
