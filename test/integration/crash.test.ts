import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { Load } from '../support/client-load.ts';
import { expectHistoryHolds } from '../support/judge-history.ts';
import { TestNodes } from '../support/node-process.ts';
import { createTestDatabase } from '../support/postgres.ts';

const nodes = new TestNodes();
afterAll(() => nodes.stop());

interface Crashes {
  readonly env: Readonly<Record<string, string>>;
  readonly rounds: number;
}

/** Kills a node under load again and again and starts it anew at the same address; then judges what clients saw. */
async function crashAgainAndAgain({ env, rounds }: Crashes): Promise<void> {
  let node: NodeProcess = await nodes.start(env);
  const { port } = new URL(node.url);
  const load = new Load({
    url: node.url,
    folder: nodes.folder,
    stores: 3,
    writersPerStore: 3,
    eventsPerRequestMax: 8,
    timeoutMs: 10_000,
  });
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await sleep(5 + Math.random() * 400);
      node.kill('SIGKILL');
      await node.ended;
      node = await nodes.start({ ...env, PORT: port });
    }
    const stored = await load.finish();
    const report = await expectHistoryHolds(load.history.path);
    expect(stored).toBe(report.checks['acknowledged-present']);
    // The kills must have met work: else nothing was tested.
    expect(report.counts.appendsAcknowledged).toBeGreaterThan(rounds);
    expect(report.counts.appendsUnknown).toBeGreaterThan(rounds / 2);
  } catch (error) {
    await load.abandon();
    throw error;
  }
  expect(await node.stop()).toEqual({ code: 0, signal: null });
}

test('fifty kills in a row lose, double and renumber nothing', async () => {
  const database = await createTestDatabase();
  await crashAgainAndAgain({ env: { DATABASE_URL: database.url }, rounds: 50 });
  await database.drop();
}, 300_000);

test('a node that runs its own Postgres loses nothing when it is killed', async () => {
  await crashAgainAndAgain({ env: {}, rounds: 5 });
}, 120_000);
