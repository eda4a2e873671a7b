import { randomUUID } from 'node:crypto';
import { nilUuid, type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { type Agent, newAgent, publicKeyOf, signedEvent } from '../support/ves-events.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let node: VesNode;
let other: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  [node, other] = await Promise.all([openVesNode(database.url), openVesNode(database.url)]);
});
afterAll(async () => {
  await Promise.all([node.close(), other.close()]);
  await database.drop();
});

/** An API key of the tenant; an administrator unless the fields say otherwise. */
async function apiKey(tenantId: Uuid, fields: Partial<Principal> = {}): Promise<string> {
  const text = `ss_${randomUUID()}`;
  const principal = { tenantId, storeIds: [], agentId: null, read: false, write: false, admin: true };
  await node.storage.keys.insertKey(hashApiKey(text), {
    ...principal,
    requestsPerMinuteMax: null,
    ...fields,
  });
  return text;
}

function keysPath({ agentId }: Agent): string {
  return `/api/v1/agents/${agentId}/keys`;
}

describe('registration', () => {
  test('answers with what was registered', async () => {
    const agent = newAgent({ keyId: 4_294_967_295 });
    const { status, json } = await node.registerKey(agent, { keyAlgorithm: 1 });
    const { tenantId, agentId, keyId } = agent;
    expect(status).toBe(200);
    expect(json).toEqual({
      success: true,
      tenantId,
      agentId,
      keyId,
      keyAlgorithm: 1,
      message: expect.any(String),
    });
  });

  test.each([
    ['hex with 0x and capitals', (hex: string) => ({ publicKey: `0x${hex.toUpperCase()}` })],
    [
      'nulls for what is optional',
      () => ({
        validFrom: null,
        validTo: null,
        keyAlgorithm: null,
        publicKeyBundle: null,
        proofOfPossessionBundle: null,
      }),
    ],
    ['a bundle that says the same', (hex: string) => ({ publicKeyBundle: { ed25519PublicKey: hex } })],
    ['fields that nobody knows', () => ({ label: 'x' })],
  ])('takes %s', async (_what, fields) => {
    const agent = newAgent();
    expect((await node.registerKey(agent, fields(publicKeyOf(agent)))).status).toBe(200);
    expect((await node.ingest(agent.agentId, [signedEvent(agent)])).json.eventsAccepted).toBe(1);
  });

  test.each([
    ['of other algorithms', { keyAlgorithm: 2 }, /keyAlgorithm is 2 \(X25519\); accepted are 0 and 1/],
    ['of post-quantum algorithms', { keyAlgorithm: 3 }, /ML-DSA-65/],
    ['of no algorithm', { keyAlgorithm: -1 }, /which is none/],
    [
      'with a proof of possession',
      { proofOfPossessionBundle: {} },
      /proofOfPossessionBundle does not go with/,
    ],
    [
      'with another kind of key beside it',
      { publicKeyBundle: { mlDsa65PublicKey: '00' } },
      /mlDsa65PublicKey does not go/,
    ],
    [
      'with another key beside it',
      { publicKeyBundle: { ed25519PublicKey: publicKeyOf(newAgent()) } },
      /another key than publicKey/,
    ],
    ['of the wrong length', { publicKey: 'abcd' }, /64 hex digits/],
    ['of other characters', { publicKey: 'zz'.repeat(32) }, /64 hex digits/],
    ['of small order', { publicKey: `01${'00'.repeat(31)}` }, /small order/],
    ['off the curve', { publicKey: `02${'00'.repeat(31)}` }, /not a point of the curve/],
    ['not written canonically', { publicKey: `ee${'ff'.repeat(30)}7f` }, /not written canonically/],
    ['with a bad time', { validFrom: 'soon' }, /validFrom must be an RFC 3339 timestamp/],
    [
      'that are never valid',
      { validFrom: '2030-01-01T00:00:00Z', validTo: '2029-01-01T00:00:00Z' },
      /validTo lies before/,
    ],
  ])('refuses keys %s', async (_what, fields, sentence) => {
    const agent = newAgent();
    const answer = await node.registerKey(agent, fields);
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(sentence)]);
    expect(await node.storage.agentKeys.find(agent)).toBeNull();
  });

  test.each([
    ['without a field', { keyId: undefined }, /keyId is missing/],
    ['with a field of the wrong type', { keyId: '1' }, /keyId must be an integer/],
    ['with a bad UUID', { agentId: 'me' }, /agentId must be a UUID/],
  ])('refuses requests %s', async (_what, fields, sentence) => {
    const answer = await node.registerKey(newAgent(), fields);
    expect([answer.status, answer.text]).toEqual([422, expect.stringMatching(sentence)]);
  });

  test('of a number that is taken is 409, also for the same key', async () => {
    const agent = newAgent();
    await node.registerKey(agent);
    const repeated = await node.registerKey(agent);
    expect([repeated.status, repeated.text]).toEqual([409, expect.stringContaining('already has a key 1')]);
  });

  test('is in force at once on every node, although the key was asked for before', async () => {
    for (let round = 0; round < 5; round += 1) {
      const agent = newAgent();
      for (const each of [node, other]) {
        const { json } = await each.ingest(agent.agentId, [signedEvent(agent)]);
        expect(json.rejections[0].reason).toBe('agent_key_invalid: Agent key not found');
      }
      await node.registerKey(agent);
      expect((await other.ingest(agent.agentId, [signedEvent(agent)])).json.eventsAccepted).toBe(1);
    }
  });
});

const boundReader = {
  admin: false,
  read: true,
  write: false,
  agentId: randomUUID() as string as Uuid,
  storeIds: [randomUUID() as string as Uuid],
};

describe('who may', () => {
  test.each([
    ['the administrator of its tenant', {}, 200, 200],
    [
      'an administrator who is limited to some stores',
      { storeIds: [randomUUID() as string as Uuid] },
      200,
      200,
    ],
    ['a reader', { admin: false, read: true, write: false }, 403, 200],
    ['a reader that is bound to an agent and a store', { ...boundReader }, 403, 200],
    ['a writer', { admin: false, read: false, write: true }, 403, 403],
    ['the administrator of another tenant', { tenantId: randomUUID() as string as Uuid }, 403, 403],
    ['the bootstrap administrator', { tenantId: nilUuid }, 200, 200],
  ])('register, list and revoke: %s', async (_who, fields, status, listStatus) => {
    const agent = newAgent();
    const key = await apiKey(agent.tenantId, fields);
    const { tenantId, agentId, keyId } = agent;
    const body = { tenantId, agentId, keyId, publicKey: publicKeyOf(agent) };
    expect((await node.send('POST', '/api/v1/agents/keys', body, key)).status).toBe(status);
    await node.registerKey(agent);
    const query = `?tenant_id=${tenantId}`;
    expect((await node.send('GET', `${keysPath(agent)}${query}`, undefined, key)).status).toBe(listStatus);
    expect((await node.send('DELETE', `${keysPath(agent)}/1${query}`, undefined, key)).status).toBe(status);
  });

  test('look at the keys of the sequencer: everyone with a credential', async () => {
    const key = await apiKey(newAgent().tenantId, { admin: false });
    expect((await node.send('GET', '/api/v1/sequencer/keys', undefined, key)).status).toBe(200);
    expect((await fetch(`${node.url}/api/v1/sequencer/keys`)).status).toBe(401);
  });
});

describe('the list', () => {
  test('has every key with its state, of the own tenant unless another is named', async () => {
    const agent = newAgent();
    const { tenantId, agentId } = agent;
    await node.registerKey({ ...agent, keyId: 3 }, { validTo: '2001-02-03T04:05:06.789Z' });
    await node.registerKey({ ...agent, keyId: 2 }, { validFrom: '2999-01-01T00:00:00+01:00' });
    await node.registerKey({ ...agent, keyId: 1 }, { keyAlgorithm: 1 });
    await node.registerKey({ ...agent, keyId: 4 });
    const key = await apiKey(tenantId);
    await node.send('DELETE', `${keysPath(agent)}/4`, undefined, key);
    const { status, json } = await node.send('GET', keysPath(agent), undefined, key);
    expect(status).toBe(200);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const common = {
      keyAlgorithm: 0,
      publicKey: publicKeyOf(agent),
      validFrom: null,
      validTo: null,
      revokedAt: null,
      createdAt: time,
    };
    expect(json).toEqual({
      tenantId,
      agentId,
      keys: [
        { ...common, keyId: 1, keyAlgorithm: 1, status: 'valid' },
        { ...common, keyId: 2, status: 'not_yet_valid', validFrom: '2998-12-31T23:00:00Z' },
        { ...common, keyId: 3, status: 'expired', validTo: '2001-02-03T04:05:06.789Z' },
        { ...common, keyId: 4, status: 'revoked', revokedAt: time },
      ],
      count: 4,
    });
    const page = await node.send('GET', `${keysPath(agent)}?after=1&limit=2`, undefined, key);
    expect(page.json.keys.map(({ keyId }: { keyId: number }) => keyId)).toEqual([2, 3]);
    expect((await node.send('GET', `${keysPath(agent)}?limit=0`, undefined, key)).status).toBe(400);
  });

  test('of an agent without keys is empty', async () => {
    expect((await node.send('GET', keysPath(newAgent()))).json).toMatchObject({ keys: [], count: 0 });
  });
});

describe('a revocation', () => {
  test('is in force on every node within a second', async () => {
    const agent = newAgent();
    const { tenantId, agentId } = agent;
    await node.registerKey(agent);
    const isAccepted = async (by: VesNode): Promise<boolean> =>
      (await by.ingest(agentId, [signedEvent(agent)])).json.eventsAccepted === 1;
    // A store of its own for the other node, so that the two don't take it from each other.
    const elsewhere = { ...agent, storeId: randomUUID() as string as Uuid };
    const isAcceptedThere = async (): Promise<boolean> =>
      (await other.ingest(agentId, [signedEvent(elsewhere)])).json.eventsAccepted === 1;
    expect([await isAccepted(node), await isAcceptedThere()]).toEqual([true, true]);
    const revoked = await node.send('DELETE', `${keysPath(agent)}/1?tenant_id=${tenantId}`);
    expect(revoked.json).toMatchObject({ success: true, tenantId, agentId, keyId: 1, status: 'revoked' });
    await until('both nodes refuse', async () => {
      const accepted = await Promise.all([isAccepted(node), isAcceptedThere()]);
      return !accepted.includes(true);
    });
  });

  test('of a key that is not there is 404, and of a path that names none 400', async () => {
    const agent = newAgent();
    expect((await node.send('DELETE', `${keysPath(agent)}/1`)).status).toBe(404);
    expect((await node.send('DELETE', `${keysPath(agent)}/x`)).status).toBe(400);
    expect((await node.send('DELETE', `${keysPath(agent)}/4294967296`)).status).toBe(400);
    expect((await node.send('DELETE', '/api/v1/agents/me/keys/1')).status).toBe(400);
  });
});
