import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { parseHex } from '../../domain/bytes.ts';
import { portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import { TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { type Agent, newAgent, publicKeyOf, signedEvent, vesBody } from '../support/ves-events.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

const seeds = ['11'.repeat(32), '22'.repeat(32)] as const;
const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'sequencer-receipts-'));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a test on a node that is closed whatever happens. */
async function withNode<Result>(
  options: { env?: Record<string, string>; dataDir?: string },
  run: (node: VesNode) => Promise<Result>,
): Promise<Result> {
  const node = await openVesNode(database.url, { dataDir: folder, ...options });
  try {
    return await run(node);
  } finally {
    await node.close();
  }
}

async function receiptFor(node: VesNode, agent: Agent, event: object) {
  const { json } = await node.ingest(agent.agentId, [event]);
  return json.receipts[0];
}

async function publishedKeys(node: VesNode) {
  return (await node.send('GET', '/api/v1/sequencer/keys')).json;
}

interface WireReceipt {
  readonly sequencerId: string;
  readonly sequencerKeyVersion: number;
  readonly sequencerSignature: string;
  readonly receiptHash: string;
}

/** Whether a receipt is signed by the published key that it names. */
async function checks(node: VesNode, receipt: WireReceipt): Promise<boolean> {
  const { sequencerId, keys } = await publishedKeys(node);
  expect(receipt.sequencerId).toBe(sequencerId);
  const key = keys.find(
    ({ keyVersion }: { keyVersion: number }) => keyVersion === receipt.sequencerKeyVersion,
  );
  return portableVerifyEd25519(
    parseHex(receipt.sequencerSignature, 64)!,
    parseHex(receipt.receiptHash, 32)!,
    parseHex(key.publicKey, 32)!,
  );
}

test('a node makes its key at the first start, keeps it for its owner alone, and signs with it again', async () => {
  const agent = newAgent();
  const [first, id] = await withNode({}, async (node) => {
    await node.registerKey(agent);
    const receipt = await receiptFor(node, agent, signedEvent(agent));
    expect(receipt).toMatchObject({
      signatureAlg: 'ed25519',
      sequencerKeyVersion: 1,
      receiptSignatureScheme: 1,
    });
    expect(await checks(node, receipt)).toBe(true);
    return [receipt, (await publishedKeys(node)).sequencerId];
  });
  const file = join(folder, 'receipt-signing-key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(id).toMatch(uuidForm);

  await withNode({}, async (node) => {
    const receipt = await receiptFor(node, agent, signedEvent(agent));
    expect(receipt).toMatchObject({ sequencerId: id, sequencerKeyVersion: first.sequencerKeyVersion });
    expect(await checks(node, receipt)).toBe(true);
    expect(await checks(node, first)).toBe(true);
  });
});

test('a kept key that is damaged stops the start, and says which file it is', async () => {
  writeFileSync(join(folder, 'receipt-signing-key'), 'abc\n', { mode: 0o600 });
  await expect(openVesNode(database.url, { dataDir: folder })).rejects.toThrow(
    /receipt-signing-key holds no key/,
  );
});

test('a replay after a change of keys returns the receipt of the old key', async () => {
  const agent = newAgent();
  const event = signedEvent(agent);
  const old = await withNode({ env: { VES_SEQUENCER_SIGNING_KEY: `0x${seeds[0]}` } }, async (node) => {
    await node.registerKey(agent);
    return receiptFor(node, agent, event);
  });
  const base64 = Buffer.from(seeds[1], 'hex').toString('base64');
  await withNode({ env: { VES_SEQUENCER_SIGNING_KEY: base64 } }, async (node) => {
    expect(await receiptFor(node, agent, event)).toEqual(old);
    const fresh = await receiptFor(node, agent, signedEvent(agent));
    expect([old.sequencerKeyVersion, fresh.sequencerKeyVersion]).toEqual([1, 2]);
    expect(await checks(node, old)).toBe(true);
    expect(await checks(node, fresh)).toBe(true);
    const { keys } = await publishedKeys(node);
    expect(keys.map(({ publicKey }: { publicKey: string }) => publicKey)).toEqual(
      seeds.map((seed) => publicKeyOf({ seed: parseHex(seed, 32)! })),
    );
    expect(keys[0]).toEqual({
      keyVersion: 1,
      algorithm: 'ed25519',
      publicKey: expect.any(String),
      nodeId: expect.stringMatching(/^node-/),
      firstUsedAt: expect.stringMatching(/Z$/),
      lastUsedAt: expect.stringMatching(/Z$/),
    });
  });
  // The first key again is the first version again.
  await withNode({ env: { VES_SEQUENCER_SIGNING_KEY: seeds[0] } }, async (node) => {
    expect((await receiptFor(node, agent, signedEvent(agent))).sequencerKeyVersion).toBe(1);
  });
});

test('with signing off a receipt says so, and stays so when signing is on again', async () => {
  const agent = newAgent();
  const event = signedEvent(agent);
  const unsigned = await withNode({ env: { VES_RECEIPT_SIGNING: 'off' } }, async (node) => {
    await node.registerKey(agent);
    expect((await publishedKeys(node)).keys).toEqual([]);
    return receiptFor(node, agent, event);
  });
  expect(unsigned).toEqual({
    sequencerId: expect.stringMatching(uuidForm),
    eventId: event.event_id,
    sequenceNumber: 1,
    sequencedAt: expect.stringMatching(/\+00:00$/),
    receiptHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    signatureAlg: 'none',
    sequencerSignature: '',
    sequencerKeyVersion: 0,
  });
  await withNode({}, async (node) => {
    expect(await receiptFor(node, agent, event)).toEqual(unsigned);
    expect((await receiptFor(node, agent, signedEvent(agent))).signatureAlg).toBe('ed25519');
  });
});

test('nodes on one database are one sequencer, each with a key of its own', async () => {
  const nodes = await Promise.all([openVesNode(database.url), openVesNode(database.url)]);
  try {
    const [a, b] = await Promise.all(nodes.map(publishedKeys));
    expect(a.sequencerId).toBe(b.sequencerId);
    expect(nodes.map(({ identity }) => identity.signer?.keyVersion).sort()).toEqual([1, 2]);
    for (const node of nodes) {
      const agent = newAgent();
      await node.registerKey(agent);
      const receipt = await receiptFor(node, agent, signedEvent(agent));
      for (const other of nodes) expect(await checks(other, receipt)).toBe(true);
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
});

test('an id that is set is that of the database from then on', async () => {
  const id = '59dc2899-8a98-41de-8eae-4ff7552796f9';
  await withNode({ env: { VES_SEQUENCER_ID: id.toUpperCase() } }, async (node) => {
    expect((await publishedKeys(node)).sequencerId).toBe(id);
  });
  await withNode({}, async (node) => {
    expect((await publishedKeys(node)).sequencerId).toBe(id);
  });
});

test('a node that is killed when it has signed and not appended leaves nothing behind', async () => {
  const proxy = await TcpProxy.open(database.url);
  const nodes = new TestNodes();
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  const env = { ALLOW_INSECURE_LOCAL_DB: 'true', BOOTSTRAP_ADMIN_API_KEY: adminKey };
  const agent = newAgent();
  const event = signedEvent(agent);
  const post = (url: string, path: string, body: string): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
      body,
    });
  const ingest = (url: string): Promise<Response> =>
    post(url, '/api/v1/ves/events/ingest', vesBody(agent.agentId, [event]));
  try {
    const node = await nodes.start({ ...env, DATABASE_URL: proxy.url });
    const key = { ...agent, publicKey: publicKeyOf(agent) };
    await post(node.url, '/api/v1/agents/keys', JSON.stringify(key));
    // The append is the first statement after the signing, and does not get through.
    const cut = proxy.nextCut('append', 'before the request');
    const lost = ingest(node.url).catch(() => null);
    await cut;
    node.kill('SIGKILL');
    await Promise.all([lost, node.ended]);
    const { rows } = await pool.query('select from ves_events');
    expect(rows).toHaveLength(0);

    const next = await nodes.start({ ...env, DATABASE_URL: database.url });
    const answer = (await (await ingest(next.url)).json()) as { receipts: object[] };
    expect(answer.receipts).toMatchObject([{ eventId: event.event_id, sequenceNumber: 1 }]);
  } finally {
    await nodes.stop();
    await proxy.close();
    await pool.end();
  }
});
