import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { uuid } from '../support/events.ts';

let database: TestDatabase;
let node: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await openVesNode(database.url);
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

const store = { tenant_id: uuid(1), store_id: uuid(2) };

async function countOf(metric: string): Promise<number> {
  const { text } = await node.send('GET', '/metrics');
  return Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function post(count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    ...store,
    event_id: uuid(100 + index),
    entity_type: 'order',
    entity_id: 'A',
    event_type: 'order.created',
    payload: null,
    created_at: '2026-01-31T12:00:00Z',
  }));
  await node.send('POST', '/api/v1/events/ingest', { agent_id: uuid(3), events });
}

test('what a node did is counted, and a commitment over a damaged event is refused and raises its own count', async () => {
  await post(3);
  expect(await countOf('sequencer_events_sequenced')).toBe(3);
  const commit = (sequence: number) =>
    node.send('POST', '/api/v1/commitments', { ...store, sequence_start: sequence, sequence_end: sequence });
  expect((await commit(1)).status).toBe(200);
  expect(await countOf('sequencer_commitments_created')).toBe(1);
  expect(await countOf('sequencer_commitment_verification_failures')).toBe(0);

  const sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  await sql.query(`update legacy_events set payload_hash = sha256('another payload') where sequence = 2`);
  await sql.end();
  expect((await commit(2)).status).toBe(500);
  expect(await countOf('sequencer_commitment_verification_failures')).toBe(1);
  expect(await countOf('sequencer_uptime_seconds')).toBeGreaterThan(0);
  expect(await countOf('process_resident_memory_bytes')).toBeGreaterThan(0);
});

test('only an administrator reads them', async () => {
  const reader = 'ss_reader_key_0123456789012345678901234567';
  await node.storage.keys.insertKey(hashApiKey(reader), {
    tenantId: store.tenant_id,
    storeIds: [],
    agentId: null,
    read: true,
    write: true,
    admin: false,
    requestsPerMinuteMax: null,
  });
  expect((await node.send('GET', '/metrics', undefined, reader)).status).toBe(403);
  expect((await node.send('GET', '/metrics', undefined, 'ss_unknown')).status).toBe(401);
});
