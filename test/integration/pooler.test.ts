import pg from 'pg';
import type { StoreKey } from '../../domain/types.ts';
import { newEvent } from '../support/client-load.ts';
import { ingestBody } from '../../bin/driver/sequencer-client.ts';
import { newStore } from '../support/event-log.ts';
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { newAgent, signedEvent } from '../support/ves-events.ts';
import { openVesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let bouncer: PgBouncer;
let opened: OpenedLog;

beforeAll(async () => {
  database = await createTestDatabase('debian');
  // What sessions of the pooler have when nobody says otherwise.
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const name = new URL(database.url).pathname.slice(1);
  await admin.query(`alter database ${name} set timezone = 'Asia/Kolkata'`);
  await admin.query(`alter database ${name} set synchronous_commit = off`);
  await admin.end();
  // Fewer sessions than two nodes have connections, so that they change hands.
  bouncer = await startPgBouncer(database.url, ['default_pool_size = 5']);
  opened = await openTestLog(bouncer.url, { pooler: 'transaction' });
});

afterAll(async () => {
  await opened.close();
  await bouncer.stop();
  await database.drop();
});

test('limits, durability and time zone are in force in each statement and gone after it', async () => {
  const text = `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
                       current_setting('synchronous_commit') as synchronous, current_setting('timezone') as timezone`;
  const ours = { statement: '30s', lock: '10s', synchronous: 'on', timezone: 'UTC' };
  const settings = async (query: string | pg.QueryConfig): Promise<unknown> =>
    (await opened.pool.query<Record<string, string>>(query)).rows[0];
  expect(await settings({ text, values: [] })).toEqual(ours);
  // A mere text is no statement of ours, and shows what was left behind: nothing.
  expect(await settings(text)).toEqual({
    statement: '0',
    lock: '0',
    synchronous: 'off',
    timezone: 'Asia/Kolkata',
  });
});

test('a statement that takes longer than its limit is ended by Postgres, and the connection goes on', async () => {
  const slow = await openTestLog(bouncer.url, { pooler: 'transaction', lockTimeoutMs: 200 });
  const holder = new pg.Client({ connectionString: database.url, application_name: 'psql' });
  await holder.connect();
  try {
    const store = newStore();
    await slow.log.claim(store, 'node-1');
    await lockRow(holder, store);
    await expect(slow.log.claim(store, 'node-2')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await holder.query('rollback');
    await expect(slow.log.claim(store, 'node-2')).resolves.toMatchObject({ epoch: 2 });
  } finally {
    await holder.end();
    await slow.close();
  }
});

test('a claim ends the session that holds its row, also one of the pooler', async () => {
  const store = newStore();
  await opened.log.claim(store, 'node-1');
  // As a node that froze between two statements of a transaction.
  const stuck = new pg.Client({ connectionString: bouncer.url, application_name: 'stateset-sequencer' });
  stuck.on('error', () => undefined); // Being ended is what the test is about.
  const ended = new Promise<string>((resolve) => stuck.on('end', () => resolve('ended')));
  await stuck.connect();
  await lockRow(stuck, store);
  await expect(opened.log.claim(store, 'node-2')).resolves.toMatchObject({ epoch: 2 });
  await expect(ended).resolves.toBe('ended');
});

test('nodes behind it ingest both worlds, commit, prove, restart and take over from each other', async () => {
  const env = { DATABASE_POOLER: 'transaction', DIRECT_DATABASE_URL: database.url };
  const agent = newAgent();
  const { tenantId, storeId } = agent;
  const ofStore = `tenant_id=${tenantId}&store_id=${storeId}`;
  const append = async (node: Awaited<ReturnType<typeof openVesNode>>, events: number): Promise<void> => {
    const legacy = ingestBody(
      { tenantId, storeId },
      agent.agentId,
      Array.from({ length: events }, () => newEvent()),
    );
    const answers = [
      await node.send('POST', '/api/v1/events/ingest', legacy),
      await node.ingest(
        agent.agentId,
        Array.from({ length: events }, () => signedEvent(agent)),
      ),
    ];
    expect(
      answers.map(({ status, json }) => [status, json?.events_accepted ?? json?.eventsAccepted]),
    ).toEqual([
      [200, events],
      [200, events],
    ]);
  };
  const first = await openVesNode(bouncer.url, { env });
  try {
    expect((await first.registerKey(agent)).status).toBe(200);
    await append(first, 20);
    const second = await openVesNode(bouncer.url, { env });
    try {
      await append(second, 5); // Takes over.
      await append(first, 5); // And back.
      for (const path of ['', '/ves']) {
        const made = await second.send('POST', `/api/v1${path}/commitments`, {
          tenant_id: tenantId,
          store_id: storeId,
          sequence_start: 1,
          sequence_end: 30,
        });
        expect(made.status).toBe(200);
        const proof = await first.send(
          'GET',
          `/api/v1${path}/proofs/17?batch_id=${made.json.batch_id}&${ofStore}`,
        );
        expect(proof.status).toBe(200);
      }
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
  const restarted = await openVesNode(bouncer.url, { env });
  try {
    await append(restarted, 1);
    const read = await restarted.send('GET', `/api/v1/events?${ofStore}&limit=1000`);
    expect(read.json.events).toHaveLength(31);
  } finally {
    await restarted.close();
  }
});

async function lockRow(client: pg.Client, { tenantId, storeId }: StoreKey): Promise<void> {
  await client.query('begin');
  await client.query(
    `select from streams where tenant_id = '${tenantId}' and store_id = '${storeId}' for update`,
  );
}
