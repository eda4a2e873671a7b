import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const nodes = new TestNodes();
let database: TestDatabase;
let client: SequencerClient;
/** Its requests are answered late when the node's event loop is held up. */
let bystander: SequencerClient;

beforeAll(async () => {
  database = await createTestDatabase();
  const node = await nodes.start({ DATABASE_URL: database.url });
  client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 2 });
  bystander = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 1 });
});
afterAll(async () => {
  client.close();
  bystander.close();
  await nodes.stop();
  await database.drop();
});

/** What a node with both cores to itself stays far below. */
const lagMaxMs = 3_000;

/** Runs something hostile and returns for how long the node kept others waiting at most, in milliseconds. */
async function lagDuring(run: () => Promise<void>): Promise<number> {
  let running = true;
  let lagMs = 0;
  const watch = (async () => {
    while (running) {
      const startMs = performance.now();
      expect((await bystander.send('GET', '/health', '')).status).toBe(200);
      lagMs = Math.max(lagMs, performance.now() - startMs);
      await sleep(5);
    }
  })();
  await run().finally(() => (running = false));
  await watch;
  return lagMs;
}

async function send(path: string, body: unknown): Promise<{ status: number; text: string }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await client.send('POST', path, text);
  return { status: answer.status, text: answer.body };
}

/** Registers a schema, sends payloads by both ways, and expects an orderly answer to each. */
async function provoke(
  schema: string,
  payload: string,
): Promise<{ registered: number; verdict: string | null }> {
  const tenantId = randomUUID();
  const head = `"tenantId":"${tenantId}","eventType":"t"`;
  const registration = await send('/api/v1/schemas', `{${head},"schemaJson":${schema}}`);
  expect([200, 400, 413]).toContain(registration.status);
  if (registration.status !== 200) {
    expect(registration.text.length).toBeGreaterThan(20);
    return { registered: registration.status, verdict: null };
  }
  const judgement = await send('/api/v1/schemas/validate', `{${head},"payload":${payload}}`);
  expect(judgement.status).toBe(200);
  const { valid, errors } = JSON.parse(judgement.text);
  const event = JSON.stringify({
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: randomUUID(),
    entity_type: 'e',
    entity_id: 'e',
    event_type: 't',
    created_at: '2025-12-20T18:31:22Z',
    source_agent: tenantId,
  });
  const ingest = await send(
    '/api/v1/events/ingest',
    `{"agent_id":"${tenantId}","events":[${event.slice(0, -1)},"payload":${payload}}]}`,
  );
  expect(ingest.status).toBe(200);
  expect(JSON.parse(ingest.text).events_accepted).toBe(valid ? 1 : 0);
  return { registered: 200, verdict: valid ? 'valid' : errors[0].message };
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

const tooMuch = 'takes more work to check by this schema than a payload of its size may';
const fanOut = Object.fromEntries(
  Array.from({ length: 15 }, (_, index) => [
    `a${index}`,
    index === 14 ? { minimum: 0 } : { allOf: Array(9).fill({ $ref: `#/$defs/a${index + 1}` }) },
  ]),
);
const twice = { allOf: [{ properties: { a: { $ref: '#' } } }, { properties: { a: { $ref: '#' } } }] };
const nested = '{"a":'.repeat(100) + '1' + '}'.repeat(100);
const alternating = Array.from({ length: 50_000 }, (_, at) => 'ab'[((at * 2_654_435_761) >>> 7) & 1]).join(
  '',
);

test.each<[string, string, string, number, string | null]>([
  ['references that fan out', json({ $ref: '#/$defs/a0', $defs: fanOut }), '1', 200, tooMuch],
  ['two ways into each level', json(twice), nested, 200, tooMuch],
  ['a reference to itself', json({ $ref: '#' }), '1', 400, null],
  [
    'a circle of references',
    json({ allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { not: { $ref: '#' } } } }),
    '1',
    400,
    null,
  ],
  ['a reference to another server', json({ $ref: 'http://127.0.0.1:1/x' }), '1', 400, null],
  [
    'a pattern that backtracks',
    json({ pattern: '^(a+)+$' }),
    json('a'.repeat(30_000) + '!'),
    200,
    'must match pattern "^(a+)+$"',
  ],
  ['a pattern with too many states', json({ pattern: '[ab]*a[ab]{200}$' }), json(alternating), 200, tooMuch],
  ['a pattern with many states', json({ pattern: '[ab]*a[ab]{100}$' }), json(alternating), 200, 'valid'],
  ['a pattern that fills the memory', json({ pattern: '((((a{99}){99}){99}){99}){99}' }), '""', 400, null],
  [
    'many long patterns',
    json({ allOf: Array.from({ length: 90 }, (_, at) => ({ pattern: `(x${at}y*){99}z?` })) }),
    json('x'),
    200,
    'must match pattern',
  ],
  [
    'very many unlike elements',
    json({ uniqueItems: true }),
    json(Array.from({ length: 40_000 }, (_, at) => [at])),
    200,
    'valid',
  ],
  [
    'a long list of values',
    json({ items: { enum: Array.from({ length: 9_000 }, (_, at) => at) } }),
    json(Array(200_000).fill(8_999)),
    200,
    'valid',
  ],
  [
    'a member called valueOf',
    json({ enum: [{}], uniqueItems: true }),
    '{"valueOf":1,"toString":2,"constructor":{}}',
    200,
    'must be one of',
  ],
  [
    'names of what objects inherit',
    json({ required: ['constructor', '__proto__'] }),
    '{}',
    200,
    'must have required property',
  ],
  [
    '__proto__ as a member',
    json({ additionalProperties: false }),
    '{"__proto__":{"a":1}}',
    200,
    'must NOT have additional',
  ],
  ['__proto__ in a schema', '{"properties":{"__proto__":{"type":"string"}}}', '{}', 400, null],
  [
    'code in names',
    json({ properties: { '"];process.exit(1);//': { const: '`${process.exit(1)}`' } } }),
    '{"\\"];process.exit(1);//":1}',
    200,
    'must be the value',
  ],
  ['a deep schema', '{"not":'.repeat(120) + '{}' + '}'.repeat(120), '1', 400, null],
  ['very many subschemas', json({ anyOf: Array(1_100).fill({ type: 'null' }) }), '1', 400, null],
  ['many subschemas', json({ anyOf: Array(990).fill({ type: 'null' }) }), '1', 200, 'must be null'],
  ['keywords of ours', json({ $cost: ['0);process.exit(1', 0], type: 'string' }), '1', 200, 'must be string'],
  [
    'very many keys',
    json({ patternProperties: { a: true, b$: { type: 'null' } }, additionalProperties: { minimum: 0 } }),
    json(Object.fromEntries(Array.from({ length: 40_000 }, (_, at) => [`k${at}`, at]))),
    200,
    'valid',
  ],
])('%s: nobody else waits for it', async (_what, schema, payload, registered, verdict) => {
  const lagMs = await lagDuring(async () => {
    const found = await provoke(schema, payload);
    expect(found.registered).toBe(registered);
    if (verdict === null) expect(found.verdict).toBeNull();
    else expect(found.verdict).toContain(verdict);
  });
  expect(lagMs).toBeLessThan(lagMaxMs);
});

const keywords = [
  'type', 'enum', 'const', 'multipleOf', 'minimum', 'maxLength', 'pattern', 'format', 'items', 'prefixItems', 'contains',
  'minContains', 'uniqueItems', 'properties', 'patternProperties', 'additionalProperties', 'propertyNames', 'required',
  'dependentRequired', 'dependencies', 'dependentSchemas', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else',
  'unevaluatedItems', 'unevaluatedProperties', '$ref', '$defs', '$id', '$anchor', '$dynamicRef', '$schema', '$data',
  '$comment', '__proto__', 'constructor', 'nullable', 'discriminator',
]; // prettier-ignore
const words = fc.constantFrom(
  'string', 'object', 'array', 'integer', '^a', '(a', '[b-a]', '(?=x)', '\\p{L}{3}', '#', '#/$defs/a', '#/properties/a', 'date-time',
  'email', 'uri', 'hostname', 'a', 'b', '__proto__', 'https://json-schema.org/draft/2019-09/schema',
  'http://json-schema.org/draft-07/schema#',
); // prettier-ignore
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    words,
    fc.constantFrom(null, true, false, 0, 1, -1, 0.5, 1e300),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...keywords), words), tie('value'), { maxKeys: 4 }),
  ),
})).value;

test('no schema and no payload gets a 500, stops the node, or holds others up', async () => {
  const statuses = new Map<number, number>();
  const lagMs = await lagDuring(() =>
    fc.assert(
      fc.asyncProperty(anything, anything, async (schema, payload) => {
        const { registered } = await provoke(json(schema), json(payload));
        statuses.set(registered, (statuses.get(registered) ?? 0) + 1);
      }),
      { numRuns: 500, interruptAfterTimeLimit: 30_000 },
    ),
  );
  expect(lagMs).toBeLessThan(lagMaxMs);
  expect(statuses.get(200)).toBeGreaterThan(0);
  expect(statuses.get(400)).toBeGreaterThan(0);
}, 60_000);
