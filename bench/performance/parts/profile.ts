import { rmSync } from 'node:fs';
import { whole } from '../../report/number-text.ts';
import { makeScratchFolder } from '../../target/postgres.ts';
import { measureCell, nodeSettings } from '../cells.ts';
import { readProfiles } from '../profile/read-profiles.ts';
import { selfTimes } from '../profile/self-times.ts';
import type { Part } from '../part.ts';

const cell = { payload: 'nested-1k', batch: 500, connections: 10, streams: 4 };
const rowsMax = 20;

/** Where the node's processor time goes. */
export const profile: Part = {
  name: 'profile',
  title: 'Where the time goes',
  seconds: 15,
  measure: async (bench) => {
    const folder = makeScratchFolder();
    bench.release(() => rmSync(folder, { recursive: true, force: true }));
    const node = await bench.startNode(await bench.newDatabase(), {
      ...nodeSettings,
      NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}`,
    });
    const load = bench.openLoad();
    bench.say('500 × 10, profiled');
    const span = bench.pick(
      { warmUpMs: 0, measureMs: 2_000 },
      { warmUpMs: 0, measureMs: 800 },
      { warmUpMs: 0, measureMs: 50 },
    );
    // Compiled first, then looked at.
    await measureCell(bench, node, load, { ...cell, ...span });
    const fromMicros = nowMicros();
    const figures = await measureCell(bench, node, load, { ...cell, ...span, measureMs: 3 * span.measureMs });
    const toMicros = nowMicros();
    await node.stop();
    const root = readProfiles(folder, { fromMicros, toMicros });
    const times = selfTimes(root);
    const busy = times.reduce((sum, { origin, micros }) => sum + (origin === 'idle' ? 0 : micros), 0);
    return {
      figures: [],
      targets: [],
      tables: [
        {
          title: `Functions by the time in themselves, of ${whole(busy / figures.eventsInAll)} µs an event`,
          columns: ['function', 'share', 'µs an event'],
          rows: times
            .filter(({ origin }) => origin !== 'idle')
            .slice(0, rowsMax)
            .map(({ name, micros }) => [
              `\`${name}\``,
              `${((100 * micros) / busy).toFixed(1)} %`,
              (micros / figures.eventsInAll).toFixed(2),
            ]),
        },
      ],
      charts: [
        {
          kind: 'flame',
          name: 'flame-graph',
          title: 'Flame graph of the node, 500 events a request × 10 connections, nested-1k',
          says: `${whole(figures.eventsPerSecond)} events/s under the profiler; a frame is as wide as the time in it and in what it calls`,
          root,
        },
      ],
      notes: [
        'The profile is that of `--cpu-prof`, of all threads of the node, cut to the time of the load. In a viewer that shows tooltips each frame tells its share.',
      ],
    };
  },
};

/** On the clock of the profiles. */
function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
