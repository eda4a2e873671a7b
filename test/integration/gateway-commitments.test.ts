import { ed25519 } from '@noble/curves/ed25519.js';
import { parseHex } from '../../domain/bytes.ts';
import { commitmentSigningHash } from '../../domain/commitment-signature.ts';
import { noStateRoot } from '../../domain/commitment.ts';
import { verifyInclusion } from '../../domain/merkle/inclusion-proof.ts';
import type { Hash, Sequence, StreamKey, World } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import {
  appendVectors,
  type CommitmentNode,
  fillStream,
  newStream,
  openCommitmentNode,
  vectorStream,
  worlds,
} from '../support/commitments.ts';
import { randomId } from '../support/event-log.ts';
import { adminKey, openGateway, type OpenedGateway } from '../support/open-gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { vectors } from '../vectors/ves-v1.ts';

const prefixes = { legacy: '/api/v1', ves: '/api/v1/ves' } as const;
const rootNames = { legacy: 'events_root', ves: 'merkle_root' } as const;
const secretKey = new Uint8Array(32).fill(7);
const sequencerId = randomId();

let database: TestDatabase;
let node: CommitmentNode;
let gateway: OpenedGateway;
beforeAll(async () => {
  database = await createTestDatabase();
  const sign = (hash: Hash) => Promise.resolve({ signature: ed25519.sign(hash, secretKey), keyVersion: 3 });
  node = await openCommitmentNode(database.url, { signer: { sequencerId, sign } });
  const { committer, reader } = node;
  gateway = await openGateway({
    commitments: {
      committing: {
        create: ({ sequenceStart, sequenceEnd, ...stream }) =>
          committer.commit(stream, { start: BigInt(sequenceStart), end: BigInt(sequenceEnd) }),
      },
      commitments: reader,
    },
  });
});
afterAll(async () => {
  await gateway.stop();
  await node.close();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  // The shapes are what these tests are about.
  readonly json: any;
}

async function call(method: string, path: string, body?: unknown, key = adminKey): Promise<Answer> {
  const response = await gateway.fetch(path, {
    method,
    headers: { authorization: `ApiKey ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined };
}

function storeOf({ tenantId, storeId }: StreamKey): { tenant_id: string; store_id: string } {
  return { tenant_id: tenantId, store_id: storeId };
}

function commit(stream: StreamKey, start: number, end: number, key?: string): Promise<Answer> {
  const body = { ...storeOf(stream), sequence_start: start, sequence_end: end };
  return call('POST', `${prefixes[stream.world]}/commitments`, body, key);
}

function get(path: string, query: Record<string, string | number> = {}, key?: string): Promise<Answer> {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return call('GET', `${path}?${search.toString()}`, undefined, key);
}

async function filled(world: World, count: number): Promise<StreamKey> {
  const stream = newStream(world);
  await fillStream(node.pool, stream, count);
  return stream;
}

const hex32 = expect.stringMatching(/^[0-9a-f]{64}$/);
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$/);
const legacyListWithholds = [
  'prev_state_root',
  'new_state_root',
  'sequencer_id',
  'sequencer_key_version',
  'sequencer_signature',
];
const signature = {
  sequencer_id: sequencerId,
  sequencer_key_version: 3,
  sequencer_signature: expect.stringMatching(/^[0-9a-f]{128}$/),
};

describe('the published streams over HTTP', () => {
  test('VES: commitments, proofs and their verification are as published', async () => {
    const stream = vectorStream('ves');
    for (const vector of vectors.ves_stream.commitments) {
      await appendVectors(node.log, stream, vector.sequence_end);
      const made = await commit(stream, vector.sequence_start, vector.sequence_end);
      const { proofs, ...expected } = vector;
      expect(made.status).toBe(200);
      expect(made.json).toMatchObject({ ves_version: 1, ...storeOf(stream), ...expected });
      for (const { true_directions: _, ...proof } of proofs as any[]) {
        const path = `/api/v1/ves/proofs/${proof.sequence_number}`;
        const found = await get(path, { ...storeOf(stream), batch_id: made.json.batch_id });
        expect(found.json).toEqual({
          ...proof,
          batch_id: made.json.batch_id,
          merkle_root: vector.merkle_root,
        });
        const { leaf_hash, leaf_index, proof_path } = found.json;
        const claim = { leaf_hash, leaf_index, proof_path, merkle_root: vector.merkle_root };
        const verified = await call('POST', '/api/v1/ves/proofs/verify', claim);
        expect(verified.json).toEqual({ valid: true, leaf_hash, merkle_root: vector.merkle_root });
      }
    }
  });

  test('legacy: commitments, proofs and both verdicts are as published', async () => {
    const stream = vectorStream('legacy');
    for (const vector of vectors.legacy_stream.commitments) {
      await appendVectors(node.log, stream, vector.sequence_end);
      const made = await commit(stream, vector.sequence_start, vector.sequence_end);
      const { proofs, entity_versions: _, ...expected } = vector as any;
      expect(made.json).toMatchObject({ ...storeOf(stream), ...expected });
      for (const { verifies_by_index_rule, verifies_with_leaf_count, ...proof } of proofs) {
        const path = `/api/v1/proofs/${proof.sequence_number}`;
        const found = await get(path, { ...storeOf(stream), batch_id: made.json.batch_id });
        expect(found.json).toEqual({
          ...proof,
          batch_id: made.json.batch_id,
          events_root: vector.events_root,
          leaf_count: vector.event_count,
        });
        const claim = { ...found.json, leaf_count: undefined };
        const byIndex = await call('POST', '/api/v1/proofs/verify', claim);
        expect(byIndex.json.valid).toBe(verifies_by_index_rule);
        const byCount = await call('POST', '/api/v1/proofs/verify', found.json);
        expect(byCount.json.valid).toBe(verifies_with_leaf_count);
      }
    }
  });
});

describe('making a commitment', () => {
  test('answers with all of a legacy one, signed', async () => {
    const stream = await filled('legacy', 5);
    const { status, json } = await commit(stream, 1, 5);
    expect(status).toBe(200);
    expect(json).toEqual({
      batch_id: expect.any(String),
      ...storeOf(stream),
      prev_state_root: '0'.repeat(64),
      new_state_root: hex32,
      events_root: hex32,
      event_count: 5,
      sequence_start: 1,
      sequence_end: 5,
      committed_at: time,
      ...signature,
    });
  });

  test('answers with all of a VES one, signed', async () => {
    const stream = await filled('ves', 5);
    const { json } = await commit(stream, 1, 5);
    expect(json).toEqual({
      batch_id: expect.any(String),
      ...storeOf(stream),
      ves_version: 1,
      tree_depth: 3,
      leaf_count: 5,
      padded_leaf_count: 8,
      merkle_root: hex32,
      prev_state_root: '0'.repeat(64),
      new_state_root: hex32,
      sequence_start: 1,
      sequence_end: 5,
      committed_at: time,
      ...signature,
    });
  });

  test.each(worlds)('signs what names the %s stream, the range and the roots', async (world) => {
    const stream = await filled(world, 3);
    const { json } = await commit(stream, 1, 3);
    const hash = (text: string) => parseHex(text, 32) as Hash;
    const signed = commitmentSigningHash(
      {
        ...stream,
        sequenceStart: 1 as Sequence,
        sequenceEnd: 3 as Sequence,
        root: hash(json[rootNames[world]]),
        previousStateRoot: noStateRoot,
        stateRoot: hash(json.new_state_root),
      },
      nodeSha256,
    );
    const bytes = parseHex(json.sequencer_signature, 64)!;
    expect(ed25519.verify(bytes, signed, ed25519.getPublicKey(secretKey))).toBe(true);
  });

  test('again gives the same VES commitment, and refuses a legacy one', async () => {
    const ves = await filled('ves', 3);
    const first = await commit(ves, 1, 3);
    expect(await commit(ves, 1, 3)).toEqual(first);
    const legacy = await filled('legacy', 3);
    await commit(legacy, 1, 3);
    const again = await commit(legacy, 1, 3);
    expect(again.status).toBe(400);
    expect(again.text).toMatch(/^1\.\.3 is committed already \(batch /);
  });

  test.each(worlds)('of a %s range that breaks a rule is 400 with the cause', async (world) => {
    const stream = await filled(world, 6);
    expect(await commit(stream, 4, 3)).toMatchObject({
      status: 400,
      text: 'sequence_end 3 is below sequence_start 4',
    });
    expect(await commit(stream, 1, 7)).toMatchObject({
      status: 400,
      text: "the stream has no events beyond 6, so 1..7 can't be committed",
    });
    await commit(stream, 1, 3);
    expect(await commit(stream, 1, 4)).toMatchObject({ status: 400 });
    expect(await commit(stream, 5, 6)).toMatchObject({
      status: 400,
      text: 'sequence_start is 5; the last commitment ends at 3, so the next begins at 4',
    });
    expect(await commit(newStream(world), 1, 1)).toMatchObject({
      status: 400,
      text: 'the stream has no events',
    });
  });

  test.each(worlds)('with a u64 beyond 2^53 does not round it (%s)', async (world) => {
    const stream = await filled(world, 1);
    const fields = JSON.stringify(storeOf(stream)).slice(1, -1);
    const body = `{${fields},"sequence_start":18446744073709551615,"sequence_end":18446744073709551615}`;
    const { status, text } = await call('POST', `${prefixes[world]}/commitments`, body);
    expect({ status, text }).toEqual({
      status: 400,
      text: "the stream has no events beyond 1, so 18446744073709551615..18446744073709551615 can't be committed",
    });
  });

  test.each([
    ['no JSON', '{', 400],
    ['a missing field', '{"tenant_id":"00000000-0000-4000-8000-000000000001"}', 422],
    [
      'a negative sequence',
      { tenant_id: randomId(), store_id: randomId(), sequence_start: -1, sequence_end: 1 },
      422,
    ],
    ['a broken UUID', { tenant_id: 'x', store_id: randomId(), sequence_start: 1, sequence_end: 1 }, 422],
  ])('with %s is refused before anything is looked at', async (_what, body, status) => {
    for (const world of worlds) {
      expect((await call('POST', `${prefixes[world]}/commitments`, body)).status).toBe(status);
    }
  });

  test.each(worlds)('takes the write permission on the %s store', async (world) => {
    const stream = await filled(world, 2);
    const scope = { tenantId: stream.tenantId, storeIds: [], admin: false };
    await gateway.addKey(`ss_reader_${world}`, { ...scope, write: false });
    await gateway.addKey(`ss_writer_${world}`, { ...scope, read: false });
    await gateway.addKey(`ss_elsewhere_${world}`, { ...scope, tenantId: randomId() });
    expect((await commit(stream, 1, 2, `ss_reader_${world}`)).status).toBe(403);
    expect((await commit(stream, 1, 2, `ss_elsewhere_${world}`)).status).toBe(403);
    expect((await commit(stream, 1, 2, `ss_writer_${world}`)).status).toBe(200);
  });
});

describe('reading commitments', () => {
  test('gives a legacy one with its hashes as numbers', async () => {
    const stream = await filled('legacy', 4);
    const { json: made } = await commit(stream, 2, 4);
    const { json } = await get(`/api/v1/commitments/${made.batch_id}`);
    expect(json).toEqual({
      batch_id: made.batch_id,
      ...storeOf(stream),
      prev_state_root: Array(32).fill(0),
      new_state_root: [...parseHex(made.new_state_root, 32)!],
      events_root: [...parseHex(made.events_root, 32)!],
      event_count: 3,
      sequence_range: [2, 4],
      committed_at: made.committed_at,
      chain_tx_hash: null,
      ...signature,
    });
  });

  test('gives a VES one with its place on a chain', async () => {
    const stream = await filled('ves', 4);
    const { json: made } = await commit(stream, 1, 4);
    const path = `/api/v1/ves/commitments/${made.batch_id}`;
    const nowhere = { chain_id: null, chain_tx_hash: null, chain_block_number: null, anchored_at: null };
    expect((await get(path)).json).toEqual({ ...made, ...nowhere, is_anchored: false });
  });

  test('lists those of the stream that are not anchored, oldest first, page by page', async () => {
    for (const world of worlds) {
      const stream = await filled(world, 6);
      const made = [];
      for (const sequence of [1, 2, 3, 4, 5, 6]) made.push((await commit(stream, sequence, sequence)).json);
      const path = `${prefixes[world]}/commitments`;
      const { json: all } = await get(path, storeOf(stream));
      expect(all.count).toBe(6);
      const withheld = world === 'legacy' ? legacyListWithholds : [];
      const listed = made.map((one) => ({ ...one, is_anchored: false }));
      for (const one of listed) for (const field of withheld) delete one[field];
      expect(all.commitments).toEqual(listed);
      const { json: page } = await get(path, { ...storeOf(stream), limit: 2, after: made[2].batch_id });
      expect(page.commitments.map((one: any) => one.sequence_start)).toEqual([4, 5]);
      expect((await get(path, { ...storeOf(stream), limit: 0 })).json).toEqual({ commitments: [], count: 0 });
      expect((await get(path, { ...storeOf(stream), limit: 100_000 })).json.count).toBe(6);
      const unknown = await get(path, { ...storeOf(stream), after: randomId() });
      expect(unknown.status).toBe(400);
      const elsewhere = { ...storeOf(newStream(world)), after: made[2].batch_id };
      expect((await get(path, elsewhere)).status).toBe(400);
    }
  });

  test('says of one that the caller may not see what it says of one that does not exist', async () => {
    for (const world of worlds) {
      const stream = await filled(world, 1);
      const { json: made } = await commit(stream, 1, 1);
      const key = `ss_stranger_${world}`;
      await gateway.addKey(key, { tenantId: randomId(), admin: false });
      const path = `${prefixes[world]}/commitments`;
      expect((await get(`${path}/${randomId()}`, {}, key)).status).toBe(404);
      expect((await get(`${path}/${made.batch_id}`, {}, key)).status).toBe(404);
      expect((await get(`${path}/${made.batch_id}`)).status).toBe(200);
      expect((await get(`${path}/nothing`)).status).toBe(400);
      const otherWorld = world === 'legacy' ? 'ves' : 'legacy';
      expect((await get(`${prefixes[otherWorld]}/commitments/${made.batch_id}`)).status).toBe(404);
      expect((await get(path, storeOf(stream), key)).status).toBe(403);
    }
  });
});

describe.each(worlds)('%s proofs', (world) => {
  const path = (sequence: number | string): string => `${prefixes[world]}/proofs/${sequence}`;

  test('lead to the root, for every leaf of a range that is no power of two', async () => {
    const stream = await filled(world, 23);
    const { json: made } = await commit(stream, 1, 23);
    for (let sequence = 1; sequence <= 23; sequence++) {
      const { json } = await get(path(sequence), { ...storeOf(stream), batch_id: made.batch_id });
      const claim = {
        leafHash: parseHex(json.leaf_hash, 32) as Hash,
        leafIndex: json.leaf_index,
        path: json.proof_path.map((hex: string) => parseHex(hex, 32)),
        root: parseHex(json[rootNames[world]], 32) as Hash,
      };
      expect(verifyInclusion(world, claim, 23, nodeSha256)).toBe(true);
      const verified = await call('POST', `${prefixes[world]}/proofs/verify`, { ...json, leaf_count: 23 });
      expect(verified.json.valid).toBe(true);
      const wrongLeaf = { ...json, leaf_index: json.leaf_index ^ 1, leaf_count: 23 };
      expect((await call('POST', `${prefixes[world]}/proofs/verify`, wrongLeaf)).json.valid).toBe(false);
    }
  });

  test('are refused with the right status', async () => {
    const stream = await filled(world, 5);
    const another = await filled(world, 5);
    const { json: made } = await commit(stream, 2, 4);
    const query = { ...storeOf(stream), batch_id: made.batch_id };
    expect((await get(path(1), query)).status).toBe(400);
    expect((await get(path(5), query)).status).toBe(400);
    expect((await get(path('18446744073709551615'), query)).status).toBe(400);
    expect((await get(path('x'), query)).status).toBe(400);
    expect((await get(path(2), storeOf(stream))).status).toBe(400);
    expect((await get(path(2), { ...query, batch_id: randomId() })).status).toBe(404);
    expect((await get(path(2), { ...query, ...storeOf(another) })).status).toBe(404);
    await gateway.addKey(`ss_prover_${world}`, { tenantId: randomId(), admin: false });
    expect((await get(path(2), { ...query, batch_id: randomId() }, `ss_prover_${world}`)).status).toBe(403);
  });

  test('of events that no longer give the root are 500', async () => {
    const stream = await filled(world, 40);
    const { json: made } = await commit(stream, 1, 40);
    await node.pool.query('delete from commitment_nodes where batch_id = $1', [made.batch_id]);
    const { status, text } = await get(path(1), { ...storeOf(stream), batch_id: made.batch_id });
    expect({ status, text }).toEqual({ status: 500, text: expect.stringMatching(/^the server failed/) });
  });

  test('are verified for readers and administrators, with the inputs repeated', async () => {
    const hash = 'AB'.repeat(32);
    const body = { leaf_hash: hash, [rootNames[world]]: hash.toLowerCase(), proof_path: [], leaf_index: 0 };
    const verify = `${prefixes[world]}/proofs/verify`;
    const { status, json } = await call('POST', verify, body);
    expect(status).toBe(200);
    expect(json).toEqual({ valid: true, leaf_hash: hash, [rootNames[world]]: hash.toLowerCase() });
    await gateway.addKey(`ss_verify_writer_${world}`, { read: false, admin: false, tenantId: randomId() });
    await gateway.addKey(`ss_verify_admin_${world}`, { read: false, write: false, tenantId: randomId() });
    expect((await call('POST', verify, body, `ss_verify_writer_${world}`)).status).toBe(403);
    expect((await call('POST', verify, body, `ss_verify_admin_${world}`)).status).toBe(200);
  });

  test.each([
    ['a prefix', { leaf_hash: `0x${'ab'.repeat(32)}` }, 400],
    ['hex that is none', { proof_path: ['z'.repeat(64)] }, 400],
    ['a hash that is too short', { root: 'ab' }, 400],
    ['a path of 65', { proof_path: Array(65).fill('ab'.repeat(32)) }, 400],
    ['a path of 64', { proof_path: Array(64).fill('ab'.repeat(32)) }, 200],
    ['a negative index', { leaf_index: -1 }, 422],
    ['an index of 64 bits', { leaf_index: undefined, indexText: '18446744073709551615' }, 200],
    ['a leaf count of 0', { leaf_count: 0 }, 200],
    ['a leaf count of null', { leaf_count: null }, 200],
    ['no path', { proof_path: undefined }, 422],
    ['no root', { root: undefined }, 422],
  ])('with %s to verify', async (_what, change: Record<string, unknown>, status) => {
    const hash = 'ab'.repeat(32);
    const { root, indexText, ...rest }: Record<string, unknown> = {
      leaf_hash: hash,
      root: hash,
      proof_path: [hash],
      leaf_index: 0,
      ...change,
    };
    const fields = JSON.stringify({ ...rest, [rootNames[world]]: root }).slice(0, -1);
    const index = typeof indexText === 'string' ? `,"leaf_index":${indexText}` : '';
    const answer = await call('POST', `${prefixes[world]}/proofs/verify`, `${fields}${index}}`);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.json.valid).toBe(false);
  });
});

describe('anchoring records', () => {
  const txHash = 'c3'.repeat(32);

  async function pending(query: Record<string, string | number> = {}): Promise<any[]> {
    const { json } = await get('/v1/commitments/pending', query);
    expect(json.total).toBe(json.commitments.length);
    return json.commitments;
  }

  test('a VES commitment waits for its anchor, gets it once, and leaves both lists', async () => {
    const stream = await filled('ves', 4);
    const { json: made } = await commit(stream, 1, 2);
    const { json: later } = await commit(stream, 3, 4);
    const waiting = await pending();
    expect(waiting.slice(-2)).toEqual(
      [made, later].map((one) => ({
        batch_id: one.batch_id,
        ...storeOf(stream),
        prev_state_root: `0x${one.prev_state_root}`,
        new_state_root: `0x${one.new_state_root}`,
        events_root: `0x${one.merkle_root}`,
        sequence_start: one.sequence_start,
        sequence_end: one.sequence_end,
        event_count: 2,
        committed_at: one.committed_at,
        chain_tx_hash: null,
      })),
    );
    expect(await pending({ after: made.batch_id })).toHaveLength(1);
    expect(await pending({ limit: 1 })).toHaveLength(1);
    expect(await pending({ limit: 0 })).toEqual([]);

    // In memory by now, without an anchor.
    const one = `/api/v1/ves/commitments/${made.batch_id}`;
    expect((await get(one)).json.is_anchored).toBe(false);

    const notice = `/v1/commitments/${made.batch_id}/anchored`;
    const body = {
      chain_tx_hash: `0x${txHash.toUpperCase()}`,
      chain_id: 8453,
      block_number: 12,
      gas_used: 1,
    };
    const anchored = await call('POST', notice, body);
    expect(anchored).toMatchObject({ status: 200 });
    expect(anchored.json).toEqual({
      batch_id: made.batch_id,
      status: 'anchored',
      chain_tx_hash: `0x${txHash}`,
      chain_id: 8453,
      block_number: 12,
    });
    expect((await get(one)).json).toEqual({
      ...made,
      chain_id: 8453,
      chain_tx_hash: txHash,
      chain_block_number: 12,
      anchored_at: time,
      is_anchored: true,
    });
    expect((await call('POST', notice, { chain_tx_hash: txHash, chain_id: 1 })).json).toEqual({
      batch_id: made.batch_id,
      status: 'already_anchored',
    });
    const otherHash = { chain_tx_hash: 'd4'.repeat(32), chain_id: 8453 };
    expect((await call('POST', notice, otherHash)).status).toBe(409);
    const left = await get('/api/v1/ves/commitments', storeOf(stream));
    expect(left.json.commitments.map((listed: any) => listed.batch_id)).toEqual([later.batch_id]);
    expect((await pending()).map((listed) => listed.batch_id)).not.toContain(made.batch_id);
    expect(await pending({ after: made.batch_id })).toHaveLength(1);
  });

  test('an anchor recorded by another node is seen although the commitment is in memory', async () => {
    const stream = await filled('ves', 1);
    const { json: made } = await commit(stream, 1, 1);
    const path = `/api/v1/ves/commitments/${made.batch_id}`;
    expect((await get(path)).json.is_anchored).toBe(false);
    const anchor = { txHash: parseHex(txHash, 32) as Hash, chainId: 1, blockNumber: null };
    await node.commitments.recordAnchor('ves', made.batch_id, anchor);
    expect((await get(path)).json).toMatchObject({ is_anchored: true, chain_block_number: null });
  });

  test('an anchor is recorded once when two report it at once', async () => {
    const stream = await filled('ves', 1);
    const { json: made } = await commit(stream, 1, 1);
    const notices = ['aa', 'bb', 'cc', 'dd'].map((byte) =>
      call('POST', `/v1/commitments/${made.batch_id}/anchored`, {
        chain_tx_hash: byte.repeat(32),
        chain_id: 1,
      }),
    );
    expect((await Promise.all(notices)).map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });

  test.each([
    ['an unknown commitment', null, { chain_tx_hash: txHash, chain_id: 1 }, 404],
    ['a chain id beyond u32', 'made', { chain_tx_hash: 'bad', chain_id: 4_294_967_296 }, 400],
    ['an empty hash', 'made', { chain_tx_hash: '', chain_id: 1 }, 400],
    ['a hash that is no hex', 'made', { chain_tx_hash: 'z'.repeat(64), chain_id: 1 }, 400],
    ['a hash of 31 bytes', 'made', { chain_tx_hash: 'ab'.repeat(31), chain_id: 1 }, 400],
    ['no chain id', 'made', { chain_tx_hash: txHash }, 422],
  ])('a notice with %s is refused', async (_what, which, body, status) => {
    const batchId = which === null ? randomId() : (await commit(await filled('ves', 1), 1, 1)).json.batch_id;
    expect((await call('POST', `/v1/commitments/${batchId}/anchored`, body)).status).toBe(status);
  });

  test('only the bootstrap administrator sees what is pending and reports anchors', async () => {
    await gateway.addKey('ss_tenant_admin', { tenantId: randomId() });
    const body = { chain_tx_hash: txHash, chain_id: 1 };
    const notice = `/v1/commitments/${randomId()}/anchored`;
    expect((await get('/v1/commitments/pending', {}, 'ss_tenant_admin')).status).toBe(403);
    expect((await call('POST', notice, body, 'ss_tenant_admin')).status).toBe(403);
  });

  test('the status says that this node anchors nothing by itself', async () => {
    const { json } = await get('/api/v1/anchor/status');
    expect(json).toEqual({ anchor_enabled: false, message: expect.any(String) });
    await gateway.addKey('ss_only_writes', { read: false, admin: false, tenantId: randomId() });
    expect((await get('/api/v1/anchor/status', {}, 'ss_only_writes')).status).toBe(403);
  });
});
