import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';
import { vectors } from '../vectors/ves-v1.ts';

/** The published streams as a client sees them: posted, committed and proved over HTTP, in one go. */

const { sequencer, ed25519: agents } = vectors.keys;

let database: TestDatabase;
let node: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  const env = { VES_SEQUENCER_ID: sequencer.sequencer_id, VES_SEQUENCER_SIGNING_KEY: sequencer.seed };
  node = await openVesNode(database.url, { env });
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

interface Posted {
  readonly event: object;
  readonly payload_json: string;
}

/** The event as its sender wrote it, with the payload's text as it is. */
function textOf({ event, payload_json }: Posted): string {
  return 'payload_encrypted' in event
    ? JSON.stringify(event)
    : `${JSON.stringify(event).slice(0, -1)},"payload":${payload_json}}`;
}

/** Posts events one by one, so that events of several agents keep their order. */
async function post(
  path: string,
  bodyOf: (text: string) => string,
  events: readonly Posted[],
): Promise<void> {
  for (const posted of events) {
    const { json } = await node.send('POST', path, bodyOf(textOf(posted)));
    expect(json).not.toHaveProperty('rejections');
  }
}

test('the published VES stream, posted, gives the published roots, state roots and proofs', async () => {
  const { tenant_id, store_id, events, commitments } = vectors.ves_stream;
  for (const { event, signed_by } of events) {
    await node.send('POST', '/api/v1/agents/keys', {
      tenantId: tenant_id,
      agentId: event.source_agent_id,
      keyId: event.agent_key_id,
      publicKey: agents.find(({ name }) => name === signed_by)!.public_key,
    });
  }
  for (const { proofs, ...expected } of commitments) {
    for (const vector of events.slice(expected.sequence_start - 1, expected.sequence_end)) {
      const agentId = vector.event.source_agent_id;
      await post('/api/v1/ves/events/ingest', (text) => `{"agentId":"${agentId}","events":[${text}]}`, [
        vector,
      ]);
    }
    const { sequence_start, sequence_end } = expected;
    const range = { tenant_id, store_id, sequence_start, sequence_end };
    const { status, json: commitment } = await node.send('POST', '/api/v1/ves/commitments', range);
    expect(status).toBe(200);
    expect(commitment).toMatchObject(expected);

    for (const proof of proofs) {
      const query = `tenant_id=${tenant_id}&store_id=${store_id}&batch_id=${commitment.batch_id}`;
      const { json } = await node.send('GET', `/api/v1/ves/proofs/${proof.sequence_number}?${query}`);
      expect(json).toMatchObject({ ...proof, merkle_root: expected.merkle_root });
      const claim = { ...proof, merkle_root: expected.merkle_root };
      expect((await node.send('POST', '/api/v1/ves/proofs/verify', claim)).json.valid).toBe(true);
    }
  }
});

test('the published legacy stream, posted, gives the published roots, state roots and proofs', async () => {
  const { tenant_id, store_id, events, commitments } = vectors.legacy_stream;
  for (const { proofs, ...published } of commitments) {
    const { sequence_start, sequence_end, event_count, events_root, prev_state_root, new_state_root } =
      published as typeof published & Record<'prev_state_root' | 'new_state_root', string>;
    const expected = {
      sequence_start,
      sequence_end,
      event_count,
      events_root,
      prev_state_root,
      new_state_root,
    };
    for (const vector of events.slice(expected.sequence_start - 1, expected.sequence_end)) {
      const { source_agent } = vector.event as unknown as { source_agent: string };
      await post('/api/v1/events/ingest', (text) => `{"agent_id":"${source_agent}","events":[${text}]}`, [
        vector,
      ]);
    }
    const range = { tenant_id, store_id, sequence_start, sequence_end };
    const { status, json: commitment } = await node.send('POST', '/api/v1/commitments', range);
    expect(status).toBe(200);
    expect(commitment).toMatchObject(expected);

    for (const { verifies_by_index_rule, verifies_with_leaf_count, ...proof } of proofs) {
      const query = `tenant_id=${tenant_id}&store_id=${store_id}&batch_id=${commitment.batch_id}`;
      const { json } = await node.send('GET', `/api/v1/proofs/${proof.sequence_number}?${query}`);
      expect(json).toMatchObject({
        ...proof,
        events_root: expected.events_root,
        leaf_count: expected.event_count,
      });
      const claim = { ...proof, events_root: expected.events_root };
      const verify = async (body: object) =>
        (await node.send('POST', '/api/v1/proofs/verify', body)).json.valid;
      expect(await verify(claim)).toBe(verifies_by_index_rule);
      expect(await verify({ ...claim, leaf_count: expected.event_count })).toBe(verifies_with_leaf_count);
    }
  }
});
