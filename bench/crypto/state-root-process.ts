import { LegacyStateRoot } from '../../domain/legacy/state-root.ts';
import { nodeSha256Stream } from '../../services/node-sha256.ts';
import { PostgresCommitmentLog } from '../../storage/postgres/postgres-commitment-log.ts';
import { peakMegabytes } from '../target/machine.ts';
import { openBenchPool } from './scratch-log.ts';
import type { StateRootPlan, StateRootRun } from './state-root.ts';

process.once('message', (plan: StateRootPlan) => {
  void run(plan).then((figures) => process.send?.(figures));
});

async function run({ url, tenantId, storeId, entities }: StateRootPlan): Promise<StateRootRun> {
  const pool = openBenchPool(url);
  await pool.query('select 1');
  const store = { tenantId, storeId };
  const megabytesBefore = process.memoryUsage.rss() / 1_048_576;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  let seen = 0;
  await new PostgresCommitmentLog(pool).commit({ ...store, world: 'legacy' }, 'wait', async (transaction) => {
    const stateRoot = new LegacyStateRoot(store, nodeSha256Stream());
    for await (const page of transaction.readEntities!()) {
      stateRoot.add(page);
      seen += page.length;
    }
    return stateRoot.finish();
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const megabytesMax = peakMegabytes(process.pid);
  await pool.end();
  if (seen !== entities) throw new Error(`${seen} entities were read, ${entities} are there`);
  return { seconds, cpuSeconds: (user + system) / 1_000_000, megabytesMax, megabytesBefore };
}
