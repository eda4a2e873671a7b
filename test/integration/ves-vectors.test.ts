import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { parseHex, toHex } from '../../domain/bytes.ts';
import { portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Answer, openVesNode, type VesNode } from '../support/ves-node.ts';
import { vectors, type VesEventVector } from '../vectors/ves-v1.ts';

const { sequencer, ed25519: publishedKeys } = vectors.keys;
const settings = { VES_SEQUENCER_ID: sequencer.sequencer_id, VES_SEQUENCER_SIGNING_KEY: sequencer.seed };

let database: TestDatabase;
let pool: pg.Pool;
let node: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  node = await openVesNode(database.url, { env: settings });
});
afterAll(async () => {
  await node.close();
  await pool.end();
  await database.drop();
});

interface OnTheWire {
  readonly event: VesEventVector['event'];
  readonly payload_json: string;
}

/** As their senders wrote them: the payload's text goes in as it is. */
function ingest(events: readonly OnTheWire[]): Promise<Answer> {
  const texts = events.map(({ event, payload_json }) =>
    event.payload_kind === 1
      ? JSON.stringify(event)
      : `${JSON.stringify(event).slice(0, -1)},"payload":${payload_json}}`,
  );
  const body = `{"agentId":"${events[0]?.event.source_agent_id}","events":[${texts.join(',')}]}`;
  return node.send('POST', '/api/v1/ves/events/ingest', body);
}

async function register({ event }: OnTheWire, publicKey: string): Promise<void> {
  const answer = await node.send('POST', '/api/v1/agents/keys', {
    tenantId: event.tenant_id,
    agentId: event.source_agent_id,
    keyId: event.agent_key_id,
    publicKey,
  });
  expect([200, 409]).toContain(answer.status);
}

/** Which of the published keys signed an event. */
function signerOf({ event, event_signing_hash }: VesEventVector): string {
  const { agent_signature } = event as unknown as { agent_signature: string };
  const signature = parseHex(agent_signature.slice(2), 64)!;
  const message = parseHex(event_signing_hash, 32)!;
  return publishedKeys.find((key) =>
    portableVerifyEd25519(signature, message, parseHex(key.public_key, 32)!),
  )!.public_key;
}

function receiptOf(vector: VesEventVector): object {
  return {
    sequencerId: sequencer.sequencer_id,
    eventId: vector.event.event_id,
    sequenceNumber: vector.sequence_number,
    sequencedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
    receiptHash: vector.receipt.receipt_hash,
    signatureAlg: 'ed25519',
    sequencerSignature: vector.receipt.sequencer_signature,
    sequencerKeyVersion: sequencer.key_version,
    receiptSignatureScheme: 1,
  };
}

async function storedLeaves(ids: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ leaf_hash: Buffer }>(
    'select leaf_hash from ves_events where event_id = any ($1) order by sequence',
    [ids],
  );
  return rows.map(({ leaf_hash }) => toHex(leaf_hash));
}

/** The published single events lie anywhere in the stream: it is emptied, and its head put before each. */
async function moveHead({ event, sequence_number }: VesEventVector): Promise<void> {
  await pool.query('truncate ves_events, legacy_events, entity_counts, entity_watermarks');
  await pool.query(
    `insert into streams (tenant_id, store_id, epoch, claimant, ves_head) values ($1, $2, 1, 'nobody', $3)
     on conflict (tenant_id, store_id) do update set ves_head = $3`,
    [event.tenant_id, event.store_id, sequence_number - 1],
  );
}

/** Raises an entity's version by unsigned events, which count as well. */
async function raiseVersion(event: Record<string, unknown>, version: number): Promise<void> {
  const { tenant_id, store_id, entity_type, entity_id } = event;
  const events = Array.from({ length: version }, () => ({
    event_id: randomUUID(),
    tenant_id,
    store_id,
    entity_type,
    entity_id,
    event_type: 'raised',
    payload: null,
    created_at: '2025-12-20T18:31:22Z',
    source_agent: event.source_agent_id,
  }));
  const body = { agent_id: event.source_agent_id, events };
  expect((await node.send('POST', '/api/v1/events/ingest', body)).json.events_accepted).toBe(version);
}

describe('the published single events', () => {
  test.each(vectors.ves_events.map((vector) => [vector.name, vector] as const))(
    '%s gets the published receipt and leaf',
    async (_name, vector) => {
      await register(vector, signerOf(vector));
      const event = vector.event as unknown as Record<string, unknown>;
      await moveHead(vector);
      if (typeof event.base_version === 'number') await raiseVersion(event, event.base_version);
      const { status, json } = await ingest([vector]);
      expect(status).toBe(200);
      expect(json).toMatchObject({ eventsAccepted: 1, eventsRejected: 0, receipts: [receiptOf(vector)] });
      expect(await storedLeaves([vector.event.event_id])).toEqual([vector.leaf_hash]);
    },
  );
});

test('the published stream gets its receipts and leaves, and is read as it was signed', async () => {
  const { events, tenant_id, store_id } = vectors.ves_stream;
  for (const vector of events) {
    await register(vector, publishedKeys.find(({ name }) => name === vector.signed_by)!.public_key);
  }
  for (let at = 0; at < events.length;) {
    const agent = events[at]!.event.source_agent_id;
    const others = events.slice(at).findIndex(({ event }) => event.source_agent_id !== agent);
    const run = events.slice(at, others === -1 ? events.length : at + others);
    const { json } = await ingest(run);
    expect(json.receipts).toEqual(run.map(receiptOf));
    at += run.length;
  }
  expect(await storedLeaves(events.map(({ event }) => event.event_id))).toEqual(
    events.map(({ leaf_hash }) => leaf_hash),
  );

  const path = `/api/v1/ves/events?tenant_id=${tenant_id}&store_id=${store_id}&limit=1000`;
  const list = await node.send('GET', path);
  expect(list.json.count).toBe(events.length);
  for (const [index, { event, payload_json }] of events.entries()) {
    const { event: read, receipt } = list.json.events[index];
    expect(read).toMatchObject(event);
    expect(receipt).toEqual(receiptOf(events[index]!));
    if (event.payload_kind === 0) expect(list.text).toContain(`"payload":${payload_json},`);
  }
});

describe('the published forgeries', () => {
  const original = vectors.ves_events[0]!;
  /** Those in which another check fails before anyone looks at the signature. */
  const earlier: Readonly<Record<string, string>> = { other_version: 'unsupported_version' };

  test.each(vectors.ves_negative.map((vector) => [vector.name, vector] as const))(
    '%s is refused, and nothing is stored',
    async (name, { event, public_key }) => {
      await pool.query('truncate ves_events, agent_keys');
      const forged = { event, payload_json: original.payload_json };
      await register(forged, public_key);
      const { status, json, text } = await ingest([forged]);
      if (name === 'other_kind') {
        expect([status, text]).toEqual([400, expect.stringContaining('payload_encrypted')]);
      } else {
        expect(json).toMatchObject({
          eventsAccepted: 0,
          rejections: [{ event_id: event.event_id, reason: earlier[name] ?? 'invalid_signature' }],
        });
      }
      expect(await storedLeaves([event.event_id])).toEqual([]);
    },
  );
});
