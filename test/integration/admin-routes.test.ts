import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { nilUuid, type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { postgresAdminView } from '../../storage/postgres/admin-view.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { newAgent, publicKeyOf, signedEvent } from '../support/ves-events.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

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

async function apiKey(tenantId: Uuid, fields: Partial<Principal> = {}): Promise<string> {
  const text = `ss_${randomUUID()}`;
  const principal = { tenantId, storeIds: [], agentId: null, read: true, write: true, admin: true };
  await node.storage.keys.insertKey(hashApiKey(text), {
    ...principal,
    requestsPerMinuteMax: null,
    ...fields,
  });
  return text;
}

const newUuid = (): Uuid => randomUUID() as string as Uuid;

async function appendLegacy(tenantId: Uuid, storeId: Uuid, count: number): Promise<void> {
  const agentId = newUuid();
  const events = Array.from({ length: count }, () => ({
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: storeId,
    entity_type: 'order',
    entity_id: '1',
    event_type: 'order.created',
    payload: {},
    created_at: '2026-01-01T00:00:00Z',
    source_agent: agentId,
  }));
  const { status } = await node.send('POST', '/api/v1/events/ingest', { agent_id: agentId, events });
  expect(status).toBe(200);
}

const lists = ['overview', 'tenants', 'stores', 'agents', 'audit'] as const;
const adminTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})?\+00:00$/;

test.each(lists)('%s asks for the admin flag and refuses in the flat form', async (name) => {
  const key = await apiKey(newUuid(), { admin: false });
  const { status, json } = await node.send('GET', `/api/v1/admin/${name}`, undefined, key);
  expect(status).toBe(403);
  expect(json).toEqual({ success: false, error: expect.any(String), code: 'FORBIDDEN' });
});

test('a tenant administrator sees the numbers of the own tenant and nothing else', async () => {
  const [tenantId, storeId, agentId, emptyStore] = [newUuid(), newUuid(), newUuid(), newUuid()];
  const otherTenant = newUuid();
  await apiKey(otherTenant);
  await appendLegacy(otherTenant, newUuid(), 1);
  const key = await apiKey(tenantId);
  await apiKey(tenantId, { agentId, storeIds: [storeId], admin: false, write: false });
  await apiKey(tenantId, { agentId: newUuid(), admin: false });
  await appendLegacy(tenantId, emptyStore, 1);
  await appendLegacy(tenantId, storeId, 3);
  const read = async (name: string) => (await node.send('GET', `/api/v1/admin/${name}`, undefined, key)).json;

  // Not the overview's lag: it is also 0 as long as no stream at all has been projected.
  await until('all is projected', async () => {
    const stores: { lastProjectedSequence: number; headSequence: number }[] = await read('stores');
    return stores.every(({ lastProjectedSequence, headSequence }) => lastProjectedSequence === headSequence);
  });
  expect(await read('overview')).toEqual({
    tenants: 1,
    stores: 2,
    agents: 2,
    apiKeys: 3,
    activeApiKeys: 3,
    totalHeadSequence: 4,
    activeStores24h: 2,
    maxProjectionLag: 0,
    lastActivityAt: expect.stringMatching(adminTime),
  });
  expect(await read('tenants')).toEqual([
    {
      tenantId,
      agentCount: 2,
      apiKeyCount: 3,
      activeApiKeys: 3,
      storeCount: 2,
      totalHeadSequence: 4,
      activeStores24h: 2,
      maxProjectionLag: 0,
      lastKeyAt: expect.stringMatching(adminTime),
      lastActivityAt: expect.stringMatching(adminTime),
    },
  ]);
  const store = { tenantId, projectionLag: 0, lastAgentSyncAt: null };
  expect(await read('stores')).toEqual([
    {
      ...store,
      storeId,
      headSequence: 3,
      lastProjectedSequence: 3,
      agentCount: 2,
      updatedAt: expect.stringMatching(adminTime),
    },
    {
      ...store,
      storeId: emptyStore,
      headSequence: 1,
      lastProjectedSequence: 1,
      agentCount: 1,
      updatedAt: expect.stringMatching(adminTime),
    },
  ]);
  const [, scoped] = await read('agents');
  expect(scoped).toEqual({
    tenantId,
    agentId,
    permissions: 'read',
    storeScope: 'scoped',
    apiKeyCount: 1,
    activeApiKeys: 1,
    firstKeyAt: expect.stringMatching(adminTime),
    lastKeyAt: expect.stringMatching(adminTime),
    storeId: null,
    lastSyncAt: null,
    lastPushedSequence: null,
    lastPulledSequence: null,
  });
});

test('a tenant without stores has no activity', async () => {
  const tenantId = newUuid();
  const key = await apiKey(tenantId);
  const { json } = await node.send('GET', '/api/v1/admin/tenants', undefined, key);
  expect(json).toMatchObject([{ tenantId, storeCount: 0, totalHeadSequence: 0, lastActivityAt: null }]);
});

test('the bootstrap administrator sees all tenants, and no list is longer than 200', async () => {
  const tenantId = newUuid();
  for (let count = 0; count < 201; count += 1) {
    await apiKey(tenantId, { agentId: newUuid(), admin: false });
  }
  const [agents, tenants, overview] = await Promise.all(
    ['agents', 'tenants', 'overview'].map((name) => node.send('GET', `/api/v1/admin/${name}`)),
  );
  expect(agents?.json).toHaveLength(200);
  expect(tenants?.json.map((tenant: { tenantId: string }) => tenant.tenantId)).toEqual(
    expect.arrayContaining([tenantId, nilUuid]),
  );
  expect(overview?.json.agents).toBeGreaterThan(200);
});

test('no number comes from the tables of events', async () => {
  const own = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: own.url, max: 1, options: '-c timezone=UTC' });
  pool.on('error', () => undefined);
  try {
    await pool.query('drop table legacy_events, ves_events cascade');
    const view = postgresAdminView(pool);
    for (const tenantId of [null, newUuid()]) {
      expect(await view.overview(tenantId)).toMatchObject({ stores: 0, totalHead: 0, lastActivityAt: null });
      expect(await view.tenants(tenantId, 200)).toEqual([]);
      expect(await view.stores(tenantId, 200)).toEqual([]);
      expect(await view.agents(tenantId, 200)).toEqual([]);
    }
  } finally {
    await pool.end();
    await own.drop();
  }
});

describe('the audit log', () => {
  test('tells who registered and revoked a key, from where, and in which request', async () => {
    const agent = newAgent();
    const key = await apiKey(agent.tenantId);
    const register = await fetch(`${node.url}/api/v1/agents/keys`, {
      method: 'POST',
      headers: {
        'x-api-key': key,
        'content-type': 'application/json',
        'x-request-id': 'request-7',
        'user-agent': 'a test',
      },
      body: JSON.stringify({ ...agent, publicKey: publicKeyOf(agent) }),
    });
    expect(register.status).toBe(200);
    const path = `/api/v1/agents/${agent.agentId}/keys/1`;
    expect((await node.send('DELETE', path, undefined, key)).status).toBe(200);
    const { json } = await node.send('GET', '/api/v1/admin/audit', undefined, key);
    expect(json).toMatchObject({ count: 2, nextAfter: null });
    expect(json.entries).toMatchObject([{ action: 'agent_key_revoked' }, { action: 'agent_key_registered' }]);
    expect(json.entries[1]).toEqual({
      id: expect.any(Number),
      timestamp: expect.stringMatching(adminTime),
      action: 'agent_key_registered',
      actor: `tenant:${agent.tenantId}`,
      actorType: 'api_key',
      tenantId: agent.tenantId,
      resourceType: 'agent_key',
      resourceId: `${agent.agentId}/1`,
      requestId: 'request-7',
      ipAddress: '127.0.0.1',
      userAgent: 'a test',
      details: { agentId: agent.agentId, keyId: 1, keyAlgorithm: 0, publicKey: publicKeyOf(agent) },
      success: true,
      errorMessage: null,
    });
  });

  test('is read in pages, each of which names the place of the next', async () => {
    const agent = newAgent();
    for (const keyId of [1, 2, 3, 4, 5]) await node.registerKey({ ...agent, keyId });
    const path = `/api/v1/admin/audit?limit=2&action=agent_key_registered&tenant_id=${agent.tenantId}`;
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { json } = await node.send('GET', after === null ? path : `${path}&after=${after}`);
      seen.push(...json.entries.map((entry: { resourceId: string }) => entry.resourceId.split('/')[1]));
      after = json.nextAfter;
    } while (after !== null);
    expect(seen).toEqual(['5', '4', '3', '2', '1']);
  });

  test('shows a tenant administrator nothing of another tenant', async () => {
    const agent = newAgent();
    await node.registerKey(agent);
    const key = await apiKey(newUuid());
    const { json } = await node.send('GET', '/api/v1/admin/audit', undefined, key);
    expect(json.entries).toEqual([]);
    const path = `/api/v1/admin/audit?tenant_id=${agent.tenantId}`;
    expect((await node.send('GET', path, undefined, key)).status).toBe(403);
  });

  test.each([
    ['limit=0', 'limit'],
    ['after=x', 'after'],
    ['from=yesterday', 'from'],
    ['to=2026', 'to'],
    ['action=', 'action'],
    ['action=a%00b', 'action'],
    ['tenant_id=7', 'tenant_id'],
  ])('refuses %s by the name of the parameter', async (query, name) => {
    const { status, text } = await node.send('GET', `/api/v1/admin/audit?${query}`);
    expect(status).toBe(400);
    expect(text).toContain(name);
  });

  test('is filtered by time', async () => {
    const { json } = await node.send('GET', '/api/v1/admin/audit?to=2026-01-01T00:00:00+00:00');
    expect(json.entries).toEqual([]);
    const { json: all } = await node.send('GET', '/api/v1/admin/audit?from=0000-01-01T00:00:00Z');
    expect(all.count).toBeGreaterThan(0);
  });
});

describe('the settings of a node', () => {
  test('are recorded at its first start, and again when they differ, without secrets', async () => {
    const nodeId = `audited-${randomUUID().slice(0, 8)}`;
    const startWith = async (env: Readonly<Record<string, string>>): Promise<void> => {
      const started = await openVesNode(database.url, { env, nodeId });
      await started.close();
    };
    await startWith({});
    await startWith({});
    await startWith({ MAX_EVENTS_PER_BATCH: '17' });
    const { json, text } = await node.send('GET', '/api/v1/admin/audit?action=config_updated');
    const entries = json.entries.filter((entry: { actor: string }) => entry.actor === nodeId);
    expect(entries).toHaveLength(2);
    expect(entries[0].details.changed).toEqual({ MAX_EVENTS_PER_BATCH: { from: 1_000, to: 17 } });
    expect(entries[1]).toMatchObject({
      actorType: 'system',
      tenantId: null,
      resourceType: 'settings',
      details: { changed: null, settings: { DATABASE_URL: '(set, kept secret)', AUTH_MODE: 'required' } },
    });
    expect(text).not.toContain(database.url);
  });

  test('are not recorded while the audit log is off', async () => {
    const nodeId = `unaudited-${randomUUID().slice(0, 8)}`;
    const started = await openVesNode(database.url, { env: { AUDIT_LOG_ENABLED: 'off' }, nodeId });
    const agent = newAgent();
    await started.registerKey(agent);
    await started.close();
    const { json } = await node.send('GET', '/api/v1/admin/audit?limit=1000');
    const about = json.entries.filter(
      (entry: { actor: string; tenantId: string | null }) =>
        entry.actor === nodeId || entry.tenantId === agent.tenantId,
    );
    expect(about).toEqual([]);
  });
});

test('a signed event makes its store active', async () => {
  const agent = newAgent();
  await node.registerKey(agent);
  expect((await node.ingest(agent.agentId, [signedEvent(agent)])).status).toBe(200);
  const key = await apiKey(agent.tenantId);
  const { json } = await node.send('GET', '/api/v1/admin/overview', undefined, key);
  expect(json).toMatchObject({ stores: 1, activeStores24h: 1, totalHeadSequence: 0 });
});
