import { randomUUID } from 'node:crypto';
import { bootstrapAdmin } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { sample } from '../../services/gateway/openapi/samples.ts';
import { exampleCall, givesValues, routeOf, routesInOrder, valueAt } from '../support/example-calls.ts';
import { projectExamples } from '../support/example-projections.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Answer, openVesNode, type VesNode } from '../support/ves-node.ts';

/** Someone with every right in a tenant of their own, who tries what is another tenant's. */
const stranger = {
  key: `ss_${randomUUID()}`,
  tenant: randomUUID(),
  store: randomUUID(),
  agent: randomUUID(),
};
const own = { tenant_id: stranger.tenant, store_id: stranger.store };

let database: TestDatabase;
let node: VesNode;
/** What the other tenant's resources are called, by the operation that made them. */
const made = new Map<string, unknown>();

beforeAll(async () => {
  database = await createTestDatabase();
  node = await openVesNode(database.url, { env: { PUBLIC_AGENT_REGISTRATION_ENABLED: 'true' } });
  await projectExamples(node);
  for (const route of routesInOrder().filter(givesValues)) {
    const { id, parameters = [] } = route.description;
    const values = parameters.flatMap(({ name, from }) =>
      from === undefined ? [] : [[name, valueAt(made.get(from.operation), from.pointer)] as const],
    );
    const { method, path, body } = exampleCall(route, Object.fromEntries(values));
    const { status, json } = await node.send(method, path, (body as object | null) ?? undefined);
    expect([id, status]).toEqual([id, 200]);
    made.set(id, json);
  }
  const principal = { ...bootstrapAdmin, tenantId: stranger.tenant as string as Uuid };
  await node.storage.keys.insertKey(hashApiKey(stranger.key), principal);
  await node.storage.keys.insertKey(hashApiKey(`ss_${randomUUID()}`), {
    ...principal,
    agentId: stranger.agent as string as Uuid,
    admin: false,
  });
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

/** Everything that the stranger is told, but for what differs between any two requests. */
async function told(
  operation: string,
  values: Readonly<Record<string, string>>,
  probed: string,
): Promise<object> {
  const call = exampleCall(routeOf(operation), values);
  const response = await fetch(node.url + call.path, {
    method: call.method,
    headers: {
      authorization: `ApiKey ${stranger.key}`,
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    },
    body: call.body === null ? null : JSON.stringify(call.body),
  });
  const headers = Object.fromEntries(response.headers);
  delete headers['x-request-id'];
  delete headers.date;
  return { status: response.status, headers, text: (await response.text()).replaceAll(probed, '<probed>') };
}

const batch = (operation: string) => (): string => valueAt(made.get(operation), '/batch_id');
const schema = (): string => valueAt(made.get('registerSchema'), '/id');
const deadLetter = (): string => valueAt(made.get('listDeadLetters'), '/deadLetters/0/id');
const prefixOf = (operation: string) => (): string => valueAt(made.get(operation), '/keyHashPrefix');
const legacyBatch = batch('commitLegacyRange');
const signedBatch = batch('commitSignedRange');
const randomPrefix = (): string => randomUUID().replaceAll('-', '').slice(0, 16);

/** Operation, the parameter that is probed, another tenant's value of it, a value of nobody's, and the rest. */
const probes: [string, string, () => string, () => string, Record<string, string>][] = [
  ['readLegacyCommitment', 'batch_id', legacyBatch, randomUUID, {}],
  ['readSignedCommitment', 'batch_id', signedBatch, randomUUID, {}],
  ['proveLegacyEvent', 'batch_id', legacyBatch, randomUUID, own],
  ['proveSignedEvent', 'batch_id', signedBatch, randomUUID, own],
  ['bundleLegacyProof', 'batch_id', legacyBatch, randomUUID, own],
  ['bundleSignedProof', 'batch_id', signedBatch, randomUUID, own],
  ['listLegacyCommitments', 'after', legacyBatch, randomUUID, own],
  ['listSignedCommitments', 'after', signedBatch, randomUUID, own],
  ['readSignedEvent', 'event_id', () => sample.signedEvent, randomUUID, own],
  ['readSchema', 'schema_id', schema, randomUUID, {}],
  ['setSchemaStatus', 'schema_id', schema, randomUUID, {}],
  ['deleteSchema', 'schema_id', schema, randomUUID, {}],
  ['retryDeadLetter', 'id', deadLetter, randomUUID, {}],
  ['discardDeadLetter', 'id', deadLetter, randomUUID, {}],
  ['readProjection', 'store_id', () => sample.store, randomUUID, { tenant_id: stranger.tenant }],
  ['readAgent', 'agent_id', () => sample.agent, randomUUID, {}],
  ['mintAgentApiKey', 'agent_id', () => sample.agent, randomUUID, {}],
  ['listAgentApiKeys', 'agent_id', () => sample.agent, randomUUID, {}],
  ['listAgentKeys', 'agent_id', () => sample.agent, randomUUID, { tenant_id: stranger.tenant }],
  ['revokeAgentKey', 'agent_id', () => sample.agent, randomUUID, { tenant_id: stranger.tenant }],
  [
    'revokeAgentApiKey',
    'key_prefix',
    prefixOf('mintAgentApiKey'),
    randomPrefix,
    { agent_id: stranger.agent },
  ],
  [
    'revokeTenantApiKey',
    'key_prefix',
    prefixOf('mintTenantApiKey'),
    randomPrefix,
    { tenant_id: stranger.tenant },
  ],
  ['listTenantApiKeys', 'tenant_id', () => sample.tenant, randomUUID, {}],
  ['listLegacyEvents', 'tenant_id', () => sample.tenant, randomUUID, { store_id: sample.store }],
  ['readLegacyHead', 'store_id', () => sample.store, randomUUID, { tenant_id: stranger.tenant }],
  ['listSignedEvents', 'store_id', () => sample.store, randomUUID, { tenant_id: stranger.tenant }],
  ['listEntityEvents', 'store_id', () => sample.store, randomUUID, { tenant_id: stranger.tenant }],
  ['listSchemas', 'tenant_id', () => sample.tenant, randomUUID, {}],
  ['listAuditEntries', 'tenant_id', () => sample.tenant, randomUUID, {}],
];

test.each(probes)(
  '%s tells of a %s of another tenant what it tells of one that nobody has',
  async (...probe) => {
    const [operation, parameter, theirs, nobodys, rest] = probe;
    const [known, unknown] = [theirs(), nobodys()];
    const answer = await told(operation, { ...rest, [parameter]: known }, known);
    expect(answer).toEqual(await told(operation, { ...rest, [parameter]: unknown }, unknown));
    const sentence = (answer as { text: string }).text;
    expect(sentence).not.toContain(sample.tenant);
  },
);

test('another tenant may use the same event id, and is told nothing of the other event', async () => {
  const { path, body } = exampleCall(routeOf('ingestLegacyEvents'));
  const { events } = body as { events: object[] };
  const event = { ...events[0], ...own, source_agent: sample.agent };
  const { status, json } = await node.send('POST', path, { events: [event] }, stranger.key);
  expect([status, json.events_accepted, json.head_sequence]).toEqual([200, 1, 1]);
});

test('what the stranger tried to change is as it was', async () => {
  const read = async (operation: string, values: Record<string, string>): Promise<Answer['json']> =>
    (await node.send('GET', exampleCall(routeOf(operation), values).path)).json;
  expect((await read('readSchema', { schema_id: schema() })).status).toBe('active');
  const { keys } = await read('listAgentKeys', {});
  expect(keys.map(({ status }: { status: string }) => status)).toEqual(['valid']);
  const { keys: apiKeys } = await read('listTenantApiKeys', {});
  expect(apiKeys.map(({ active }: { active: boolean }) => active)).toEqual([true, true]);
});
