import { ingestCell, measureSignedIngest } from '../../crypto/signed-ingest.ts';
import { short, whole } from '../../report/number-text.ts';
import { nodeSettings } from '../cells.ts';
import type { Part } from '../part.ts';
import { figure, judge } from '../report.ts';

/** Signed events over HTTP, beside what their parts add up to. */
export const signed: Part = {
  name: 'signed',
  title: 'Signed ingest',
  seconds: 60,
  measure: async (bench) => {
    bench.say(
      `${ingestCell.batch} × ${ingestCell.connections}, signatures, unsigned and signed events in turns`,
    );
    const span = bench.pick(
      { warmUpMs: 700, measureMs: 4_000 },
      { warmUpMs: 200, measureMs: 800 },
      { warmUpMs: 20, measureMs: 100 },
    );
    const cells = bench.pick(3, 1, 1);
    const cores = navigator.hardwareConcurrency;
    const database = await bench.newDatabase();
    const {
      signed: ours,
      unsigned,
      signatures,
    } = await measureSignedIngest(database, { span, cells, cores, env: nodeSettings });
    const { verification, signing } = signatures;
    const micros = {
      verification: 1_000_000 / verification.perSecond,
      signing: 1_000_000 / signing.perSecond,
      unsigned: 1_000_000 / unsigned.eventsPerSecond,
    };
    const bound = 1_000_000 / (micros.verification + micros.signing + micros.unsigned);
    const share = ours.eventsPerSecond / bound;
    return {
      figures: [
        figure('signed.events_per_second', ours.eventsPerSecond, 'events/s', 'higher'),
        figure('signed.share_of_bound', share, 'share', 'higher'),
        figure('signed.p99_ms', ours.p99Ms, 'ms', 'lower'),
        figure('signed.node_cpu', ours.nodeCpuMicros, 'µs an event', 'lower'),
        figure('signed.verifications_per_second', verification.perSecond, '/s', 'higher'),
        figure('signed.receipts_per_second', signing.perSecond, '/s', 'higher'),
      ],
      targets: [
        judge({
          ...{ item: 4, what: 'signed ingest, of the bound that its parts add up to', limit: 'at least' },
          ...{ wanted: 0.85, measured: share, unit: 'of the bound' },
        }),
      ],
      tables: [
        {
          title: 'What a signed event is made of, on all cores',
          columns: ['step', 'a second', 'µs an event', 'processor µs an event'],
          rows: [
            [
              'checking the signature of the agent',
              whole(verification.perSecond),
              short(micros.verification),
              short(verification.cpuMicros),
            ],
            [
              'signing the receipt',
              whole(signing.perSecond),
              short(micros.signing),
              short(signing.cpuMicros),
            ],
            [
              'an unsigned event, all included',
              whole(unsigned.eventsPerSecond),
              short(micros.unsigned),
              `${short(unsigned.nodeCpuMicros)} (node)`,
            ],
            ['the bound: all three', whole(bound), short(1_000_000 / bound), ''],
            [
              'signed ingest',
              whole(ours.eventsPerSecond),
              short(1_000_000 / ours.eventsPerSecond),
              `${short(ours.nodeCpuMicros)} (node)`,
            ],
          ],
        },
      ],
      charts: [],
      notes: [
        `Really signed events of ${ingestCell.connections} agents, made before each cell begins, ${ingestCell.batch} a request on ${ingestCell.connections} connections (${ingestCell.payload}); unsigned ones in turns with them. Checks and receipts alone are measured on the threads that a node has for them, on the same cores, before each pair of cells. P50 / P95 / P99 of a signed request: ${[ours.p50Ms, ours.p95Ms, ours.p99Ms].map(short).join(' / ')} ms.`,
      ],
    };
  },
};
