import { fork } from 'node:child_process';
import { join } from 'node:path';
import type pg from 'pg';
import type { StoreKey } from '../../domain/types.ts';
import { fillStream } from '../../test/support/fill-stream.ts';
import { newStream } from './made-up.ts';
import { median } from './measure.ts';
import { openScratchLog } from './scratch-log.ts';

export interface StateRootFigures {
  readonly entities: number;
  /** The median of some runs, each by a process of its own. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The most that the process held, and what it held before it began. */
  readonly megabytesMax: number;
  readonly megabytesBefore: number;
}

export type StateRootRun = Omit<StateRootFigures, 'entities'>;

export interface StateRootPlan extends StoreKey {
  readonly url: string;
  readonly entities: number;
}

/** Not counted yet when the root is asked for, as in a store that is in use. */
const uncountedEvents = 10_000;

/** The state root of a legacy commitment: over every entity of a store, read from one snapshot. */
export async function measureStateRoot(
  serverUrl: string,
  { entities, runs }: { readonly entities: number; readonly runs: number },
): Promise<StateRootFigures> {
  const log = await openScratchLog(serverUrl);
  const { url, pool } = log;
  try {
    const store = newStream('legacy');
    await fillStream(pool, store, uncountedEvents, { entities: uncountedEvents });
    await fillEntities(pool, store, entities - uncountedEvents);
    await pool.query('vacuum analyze');
    const results: StateRootRun[] = [];
    for (let run = 0; run < runs; run++) results.push(await runAlone({ url, ...store, entities }));
    const medianOf = (field: keyof StateRootRun): number => median(results.map((result) => result[field]));
    return {
      entities,
      seconds: medianOf('seconds'),
      cpuSeconds: medianOf('cpuSeconds'),
      megabytesMax: medianOf('megabytesMax'),
      megabytesBefore: medianOf('megabytesBefore'),
    };
  } finally {
    await log.close();
  }
}

/** Entities that were counted already, in an order of their own. */
async function fillEntities(pool: pg.Pool, { tenantId, storeId }: StoreKey, count: number): Promise<void> {
  await pool.query(
    `insert into entity_counts (store_number, entity_hash, entity_type, entity_id, legacy_count, ves_count)
     select s.store_number, hashint8extended(n, 0), 'kind-' || n % 7, gen_random_uuid(), 1 + n % 9, n % 5
       from streams s, generate_series(1, $3::bigint) as n where s.tenant_id = $1 and s.store_id = $2`,
    [tenantId, storeId, count],
  );
}

function runAlone(plan: StateRootPlan): Promise<StateRootRun> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'state-root-process.ts'), { stdio: 'inherit' });
    child.once('exit', () => reject(new Error('the process that computes a state root ended')));
    child.once('message', (run) => {
      resolve(run as StateRootRun);
      child.disconnect();
    });
    child.send(plan);
  });
}
