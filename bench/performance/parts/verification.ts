import { measureRepeated, type OperationFigures } from '../../crypto/measure.ts';
import { randomLeaves } from '../../crypto/made-up.ts';
import { measureProofs } from '../../crypto/proof-generation.ts';
import { measureVerification } from '../../crypto/proof-verification.ts';
import { MerkleTree } from '../../../domain/merkle/tree.ts';
import type { LeafIndex } from '../../../domain/types.ts';
import { short, times, whole } from '../../report/number-text.ts';
import { nodeSha256 } from '../../../services/node-sha256.ts';
import type { Part } from '../part.ts';
import { publishedTiers, publishedVerifications } from '../published-figures.ts';
import { figure, judge, type Target } from '../report.ts';

const depths = Object.keys(publishedVerifications).map(Number);
const wantedTimes = 10;
/** Of a tree that is in memory. */
const leafCount = 1_000;

/** Proofs: verified on one thread, taken from a tree in memory, and read from the log. */
export const verification: Part = {
  name: 'verification',
  title: 'Proofs and their verification',
  seconds: 25,
  measure: async (bench) => {
    const span = bench.pick(
      { warmUpMs: 500, measureMs: 2_500 },
      { warmUpMs: 100, measureMs: 400 },
      { warmUpMs: 5, measureMs: 30 },
    );
    const verified = [];
    for (const depth of depths) {
      bench.say(`verification at depth ${depth}`);
      verified.push(await measureVerification(depth, 1, span));
    }
    bench.say('proofs');
    const tree = new MerkleTree('ves', randomLeaves(leafCount), nodeSha256);
    const inMemory = measureRepeated((turn) => {
      tree.prove(((turn * 7_919) % leafCount) as LeafIndex);
    }, span);
    const read = await measureProofs(await bench.newDatabase(), {
      sizes: [leafCount],
      atATime: [1, 8],
      span,
    });
    return {
      figures: [
        ...verified.map(({ depth, perSecond }) =>
          figure(
            `verification.depth-${depth}.per_second`,
            perSecond,
            '/s',
            'higher',
            publishedVerifications[depth],
          ),
        ),
        figure('proofs.memory.per_second', inMemory.perSecond, '/s', 'higher'),
        ...read.map(({ atATime, perSecond }) =>
          figure(`proofs.log-${atATime}.per_second`, perSecond, '/s', 'higher'),
        ),
      ],
      targets: [
        ...verified.map(({ depth, perSecond }) =>
          judge({
            ...{
              item: 5,
              what: `verification at depth ${depth}, per core: times the published rate`,
              limit: 'at least',
            },
            ...{ wanted: wantedTimes, measured: perSecond / publishedVerifications[depth]!, unit: '×' },
          }),
        ),
        ...tierTargets(inMemory),
      ],
      tables: [
        {
          title: 'Verification of inclusion proofs on one thread',
          columns: ['depth', 'published/s', 'a second', 'ratio', 'P50 / P95 / P99 µs'],
          rows: verified.map((figures) => [
            String(figures.depth),
            whole(publishedVerifications[figures.depth]!),
            whole(figures.perSecond),
            times(figures.perSecond / publishedVerifications[figures.depth]!),
            percentiles(figures),
          ]),
        },
        {
          title: `Proofs of one of ${whole(leafCount)} events`,
          columns: ['from', 'a second', 'P50 / P95 / P99 µs'],
          rows: [
            ['a tree in memory, one thread', whole(inMemory.perSecond), percentiles(inMemory)],
            ...read.map((figures) => [
              `the log, ${figures.atATime} at a time, nothing cached`,
              whole(figures.perSecond),
              percentiles(figures),
            ]),
          ],
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'verification',
          title: 'Verifications a second on one thread',
          says: 'by the depth of the tree',
          unit: '/s',
          series: ['verifications'],
          markName: 'ten times the published figure',
          levels: [],
          groups: verified.map(({ depth, perSecond }) => ({
            name: `depth ${depth}`,
            bars: [{ value: perSecond, mark: wantedTimes * publishedVerifications[depth]! }],
          })),
        },
      ],
      notes: [
        'Verification: 4,096 distinct proofs of one tree against their root and leaf count. The tiers are held against proofs from a tree in memory, since nothing that asks a database answers in 20 µs.',
      ],
    };
  },
};

function tierTargets({ perSecond, p95Micros, p99Micros }: OperationFigures): Target[] {
  return publishedTiers.flatMap(({ name, proofsPerSecond, proofMicros: [, p95, p99] }) => {
    const of = { item: 3, firm: name !== 'Dedicated' };
    const what = (figureName: string): string => `${name}: proofs from a tree in memory, ${figureName}`;
    return [
      judge({
        ...of,
        what: what('a second'),
        limit: 'at least',
        wanted: proofsPerSecond,
        measured: perSecond,
        unit: '/s',
      }),
      judge({ ...of, what: what('P95'), limit: 'at most', wanted: p95, measured: p95Micros, unit: 'µs' }),
      judge({ ...of, what: what('P99'), limit: 'at most', wanted: p99, measured: p99Micros, unit: 'µs' }),
    ];
  });
}

function percentiles({ p50Micros, p95Micros, p99Micros }: OperationFigures): string {
  return [p50Micros, p95Micros, p99Micros].map(short).join(' / ');
}
