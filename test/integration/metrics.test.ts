import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newAgent, signedEvent } from '../support/ves-events.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { uuid } from '../support/events.ts';
import { openMetrics } from '../../bin/metrics.ts';

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

async function post(count: number, firstId: number, to: object = store): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    ...to,
    event_id: uuid(firstId + index),
    entity_type: 'order',
    entity_id: 'A',
    event_type: 'order.created',
    payload: null,
    created_at: '2026-01-31T12:00:00Z',
  }));
  await node.send('POST', '/api/v1/events/ingest', { agent_id: uuid(3), events });
}

/** Of a series with labels, as the text format writes it. */
async function samples(): Promise<Map<string, number>> {
  const { text } = await node.send('GET', '/metrics');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

test('a known workload is counted exactly, once for each request or flush', async () => {
  const agent = newAgent({ tenantId: uuid(1), storeId: uuid(2) });
  await node.registerKey(agent);
  const before = await samples();
  await post(5, 1_000);
  await post(5, 1_000); // Repeats, each rejected.
  const signed = [1, 2, 3].map(() => signedEvent(agent));
  const forged = { ...signedEvent(agent), agent_signature: signed[0]!.agent_signature };
  expect((await node.ingest(agent.agentId, [...signed, forged])).json).toMatchObject({
    eventsAccepted: 3,
    eventsRejected: 1,
  });
  await node.ingest(agent.agentId, signed); // Answered with the stored receipts.
  await node.send('GET', `/no/such/${uuid(1)}`);
  await node.send(
    'GET',
    `/api/v1/head?tenant_id=${store.tenant_id}&store_id=${store.store_id}`,
    undefined,
    'ss_unknown',
  );
  await node.send('POST', '/api/v1/events/ingest', '{');
  await node.send('POST', '/api/v1/agents/register', {});
  const after = await samples();
  const grown = (name: string): number => after.get(name)! - (before.get(name) ?? 0);

  expect(grown('sequencer_events_ingested')).toBe(8);
  expect(grown('sequencer_events_sequenced')).toBe(8);
  expect(grown('sequencer_events_rejected')).toBe(6);
  expect(grown('sequencer_ves_events_received')).toBe(7);
  expect(grown('sequencer_ves_events_verified')).toBe(3);
  expect(grown('sequencer_errors_signature')).toBe(1);
  expect(grown('sequencer_batches_received')).toBe(4);
  expect(grown('sequencer_batches_processed')).toBe(4);
  expect(grown('sequencer_ingest_latency_seconds_count')).toBe(4);
  expect(grown('sequencer_request_events_per_batch_sum')).toBe(5 + 5 + 4 + 3);
  expect(grown('sequencer_request_events_per_batch_bucket{le="5"}')).toBe(4);
  expect(grown('sequencer_signatures_checked')).toBe(7);
  expect(grown('sequencer_signature_check_duration_seconds_count')).toBe(2);
  expect(grown('sequencer_batch_events_sum')).toBe(8);
  expect(grown('sequencer_append_events_sum')).toBeGreaterThanOrEqual(8); // A refused statement counts as well.
  expect(grown('sequencer_errors_database')).toBe(0);
  const requests = (method: string, path: string, status: number): number =>
    grown(`sequencer_http_requests_total{method="${method}",path="${path}",status="${status}"}`);
  expect(requests('POST', '/api/v1/events/ingest', 200)).toBe(2);
  expect(requests('POST', '/api/v1/ves/events/ingest', 200)).toBe(2);
  expect(requests('GET', 'unmatched', 404)).toBe(1);
  expect(requests('GET', '/api/v1/head', 401)).toBe(1);
  expect(requests('POST', '/api/v1/events/ingest', 400)).toBe(1);
  expect(requests('GET', '/metrics', 200)).toBe(1);
  expect(grown('sequencer_errors_auth')).toBe(1 + 1); // Registration is off: 403.
  expect(grown('sequencer_errors_validation')).toBe(1);
  expect(grown('sequencer_agent_registration_total{outcome="error",reason="REGISTRATION_DISABLED"}')).toBe(1);
  expect(grown('sequencer_cache_misses{cache="prepared_agent_keys"}')).toBe(1);
  expect(grown('sequencer_cache_hits{cache="prepared_agent_keys"}')).toBe(6);
  expect(after.get('sequencer_streams_owned')).toBe(1);
  expect(after.get('sequencer_mailbox_requests')).toBe(0);
  expect(after.get('sequencer_pool_max_connections')).toBe(10);
  expect(after.get('sequencer_db_query_latency_seconds_count{query="append"}')).toBe(
    after.get('sequencer_append_duration_seconds_count'),
  );
  expect(grown('sequencer_db_query_latency_seconds_count{query="find_ves_events"}')).toBeGreaterThan(0);
});

test('proofs and their cache are counted, and what commitments lag by is what no commitment covers', async () => {
  await post(4, 3_000);
  const { head_sequence: head } = (
    await node.send('GET', `/api/v1/head?tenant_id=${store.tenant_id}&store_id=${store.store_id}`)
  ).json;
  const lagBefore = await node.storage.commitments.readLag();
  const range = { sequence_start: 1, sequence_end: head - 1 };
  const { batch_id } = (await node.send('POST', '/api/v1/commitments', { ...store, ...range })).json;
  const lag = await node.storage.commitments.readLag();
  expect(lagBefore.uncommittedEvents - lag.uncommittedEvents).toBe(head - 1);
  expect(lag.events - lag.uncommittedEvents).toBe(head - 1);
  expect(lag.oldestSecs).toBeGreaterThan(0);

  const before = await samples();
  const query = `tenant_id=${store.tenant_id}&store_id=${store.store_id}&batch_id=${batch_id}`;
  for (const sequence of [1, 1, 2]) await node.send('GET', `/api/v1/proofs/${sequence}?${query}`);
  const after = await samples();
  const grown = (name: string): number => after.get(name)! - before.get(name)!;
  expect(grown('sequencer_proof_latency_seconds_count')).toBe(3);
  // The two events are neighbours, which are kept together.
  expect(grown('sequencer_cache_hits{cache="proofs"}')).toBe(2);
  expect(grown('sequencer_cache_misses{cache="proofs"}')).toBe(1);
  expect(grown('sequencer_cache_size{cache="proofs"}')).toBe(1);
});

test('every name has a sample on a node alone, but for those of a cluster, of breakers, of a replica and of what is off', async () => {
  const { text } = await node.send('GET', '/metrics');
  const missing = openMetrics()
    .areas.filter(({ title }) => title !== 'Cluster' && title !== 'Resilience')
    .flatMap(({ series }) => series)
    .filter(({ name }) => !name.startsWith('sequencer_commitment_every_'))
    .filter(({ name }) => !new RegExp(`^${name}(_count)?[ {]`, 'm').test(text));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test('what a node did is counted, and a commitment over a damaged event is refused and raises its own count', async () => {
  const other = { ...store, store_id: uuid(7) };
  const created = await countOf('sequencer_commitments_created');
  await post(3, 100, other);
  const commit = (sequence: number) =>
    node.send('POST', '/api/v1/commitments', { ...other, sequence_start: sequence, sequence_end: sequence });
  expect((await commit(1)).status).toBe(200);
  expect(await countOf('sequencer_commitments_created')).toBe(created + 1);
  expect(await countOf('sequencer_commitment_verification_failures')).toBe(0);

  const sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  await sql.query(
    `update legacy_events set payload_hash = sha256('another payload') where event_id = '${uuid(101)}'`,
  );
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

test('a node tells how often commitments are made unasked, and nothing where none are', async () => {
  const asked = await node.send('GET', '/metrics');
  expect(asked.text).not.toMatch(/^sequencer_commitment_every_/m);
  const committing = await openVesNode(database.url, { env: { COMMITMENT_EVERY_SECS: '90' } });
  try {
    const { text } = await committing.send('GET', '/metrics');
    expect(text).toMatch(/^sequencer_commitment_every_seconds 90$/m);
    expect(text).not.toMatch(/^sequencer_commitment_every_events /m);
  } finally {
    await committing.close();
  }
});
