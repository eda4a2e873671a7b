import { join } from 'node:path';
import pg from 'pg';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import type { ClusterBody } from '../../services/gateway/handlers/read-cluster.ts';
import { Load } from '../support/client-load.ts';
import { expectHistoryHolds } from '../support/judge-history.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const delaySecs = 1;
const drainSecs = 15;

const nodes = new TestNodes();
let database: TestDatabase;
let nats: NatsServer;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  nats = await startNatsServer();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
}, 60_000);
afterAll(async () => {
  await nodes.stop();
  await pool.end();
  await nats.stop();
  await database.drop();
}, 60_000);

function startNode(name: string): Promise<NodeProcess> {
  return nodes.start({
    NODE_ID: name,
    DATA_DIR: join(nodes.folder, name),
    DATABASE_URL: database.url,
    DB_APPLICATION_NAME: `seq-${name}`,
    NATS_URL: nats.url,
    SHUTDOWN_DELAY_SECS: String(delaySecs),
    SHUTDOWN_DRAIN_SECS: String(drainSecs),
    COMMITMENT_EVERY_EVENTS: '10',
    LEADER_LEASE_SECS: '60', // So that nobody takes over because it ran out.
  });
}

async function view({ url }: NodeProcess): Promise<ClusterBody['nodes']> {
  const headers = { authorization: `ApiKey ${adminKey}` };
  const answer = await fetch(`${url}/api/v1/admin/cluster`, { headers });
  return ((await answer.json()) as ClusterBody).nodes;
}

async function countSessions(name: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::integer as count from pg_stat_activity where application_name like $1`,
    [`seq-${name}%`],
  );
  return rows[0]!.count;
}

test('SIGTERM under load: streams and leadership go over, nothing is kept, nothing is lost, and it ends with 0', async () => {
  const leaving = await startNode('leaving');
  await until('it leads', async () => (await view(leaving))[0]?.leads?.length === 2);
  const staying = await startNode('staying');
  await until('they see each other', async () => {
    return (await view(leaving)).filter(({ state }) => state === 'answers').length === 2;
  });
  // Sent to the one that stays, which asks the other for the stores that it owns.
  const load = new Load({
    url: staying.url,
    folder: nodes.folder,
    stores: 12,
    writersPerStore: 1,
    eventsPerRequestMax: 10,
    timeoutMs: 10_000,
  });
  try {
    const owned = async (name: string): Promise<number> =>
      (await view(staying)).find(({ nodeId }) => nodeId === name)?.sequencer?.storesOwned ?? 0;
    await until('both own stores', async () => (await owned('leaving')) > 0 && (await owned('staying')) > 0);
    expect(await countSessions('leaving')).toBeGreaterThan(0);
    const lostBefore = { ...load.counts };

    const signalMs = performance.now();
    leaving.kill('SIGTERM');
    const ledMs = await until('the other leads', async () => {
      return (await view(staying)).find(({ nodeId }) => nodeId === 'staying')?.leads?.length === 2;
    });
    const ownedMs = await until('the other owns every store', async () => (await owned('staying')) === 12);
    expect(await leaving.ended).toEqual({ code: 0, signal: null });
    const endedMs = performance.now() - signalMs;
    console.log(
      `the other leads after ${Math.round(ledMs)} ms and owns all ${Math.round(ownedMs)} ms later; ended after ${Math.round(endedMs)} ms`,
    );
    expect(endedMs).toBeLessThan((delaySecs + drainSecs) * 1_000);

    // No session, lease or lock is left behind: its place can be taken at once.
    await until('its sessions are over', async () => (await countSessions('leaving')) === 0, 2_000);
    const again = await startNode('leaving');
    expect((await again.stop()).code).toBe(0);

    expect(load.counts.unknown).toBe(lostBefore.unknown);
    await load.finish();
    await expectHistoryHolds(load.history.path);
    expect((await staying.stop()).code).toBe(0);
    const { rows } = await pool.query('select from leader_leases where expires_at > clock_timestamp()');
    expect(rows).toEqual([]);
  } catch (error) {
    await load.abandon();
    throw error;
  }
}, 90_000);
