import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8Bytes } from '../../domain/bytes.ts';
import { portableCryptography, readEvidence, verifyBundle } from '../../domain/verify/verify.ts';
import { fillStore, type FilledStore, storeQuery } from '../support/filled-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let node: VesNode;
let store: FilledStore;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-bundle-'));
  database = await createTestDatabase();
  node = await openVesNode(database.url);
  store = await fillStore(node);
});
afterAll(async () => {
  await node?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const prefixes = { ves: '/api/v1/ves', legacy: '/api/v1' } as const;

describe.each(['ves', 'legacy'] as const)('the bundle of a %s event', (world) => {
  const path = (sequence: number, query = '') =>
    `${prefixes[world]}/proofs/${sequence}/bundle?${storeQuery(store)}${query}`;

  test('verifies as it is, for every event that is committed', async () => {
    const committedTo = store.committed.at(-1)![1];
    for (let sequence = 1; sequence <= committedTo; sequence++) {
      const { status, text } = await node.send('GET', path(sequence));
      expect(status).toBe(200);
      const evidence = readEvidence(utf8Bytes(text), portableCryptography.sha256);
      if (evidence.kind !== 'bundle') throw new Error(evidence.kind);
      const report = verifyBundle(evidence.bundle);
      expect(report.checks.filter(({ holds }) => holds !== true)).toEqual([]);
      expect(report.counts['commitment-signature']).toMatchObject({ held: 1 });
      if (world === 'ves') expect(report.counts['receipt-signature']).toMatchObject({ held: 1 });
    }
  });

  test('names the commitment that was asked for, or the one that there is', async () => {
    const found = (await node.send('GET', path(8))).json;
    expect(found.commitment).toMatchObject({ sequence_start: 7, sequence_end: 13, is_anchored: false });
    const { batch_id } = found.commitment;
    expect((await node.send('GET', path(8, `&batch_id=${batch_id}`))).json).toEqual(found);
    expect((await node.send('GET', path(6, `&batch_id=${batch_id}`))).status).toBe(400);
  });

  test('is 404 for what is not committed and for what is not there', async () => {
    for (const sequence of [0, 14, 18, 19]) {
      expect(await node.send('GET', path(sequence))).toMatchObject({
        status: 404,
        text: `event ${sequence} is not under a commitment`,
      });
    }
    const unknown = crypto.randomUUID();
    expect(await node.send('GET', path(1, `&batch_id=${unknown}`))).toMatchObject({ status: 404 });
    const other = `tenant_id=${store.tenantId}&store_id=${unknown}`;
    expect(await node.send('GET', `${prefixes[world]}/proofs/1/bundle?${other}`)).toMatchObject({
      status: 404,
    });
  });

  test('of a commitment of another stream is 404, as of an unknown one', async () => {
    const { batch_id } = (await node.send('GET', path(1))).json.commitment;
    const other = `tenant_id=${store.tenantId}&store_id=${crypto.randomUUID()}&batch_id=${batch_id}`;
    expect((await node.send('GET', `${prefixes[world]}/proofs/1/bundle?${other}`)).status).toBe(404);
  });

  test('is taken by the command as the node sent it', async () => {
    const file = join(folder, `${world}.json`);
    writeFileSync(file, (await node.send('GET', path(13))).text);
    const keys = join(folder, 'keys.json');
    writeFileSync(keys, (await node.send('GET', '/api/v1/sequencer/keys')).text);
    const cli = join(import.meta.dirname, '../../bin/sequencer.ts');
    const code = await new Promise((resolve) => {
      execFile(cli, ['verify', file, '--keys', keys, '--require-signatures'], (error) =>
        resolve(error?.code ?? 0),
      );
    });
    expect(code).toBe(0);
  });
});

test('the list of commitments from a sequence on has all of them, anchored or not', async () => {
  const query = storeQuery(store);
  const chain = await node.send('GET', `/api/v1/ves/commitments?${query}&from=6`);
  expect(chain.json).toMatchObject({
    count: 2,
    commitments: [
      { sequence_start: 6, sequence_end: 6, is_anchored: false, sequencer_signature: expect.any(String) },
      { sequence_start: 7, sequence_end: 13 },
    ],
  });
  const [first] = chain.json.commitments;
  const anchor = { chain_tx_hash: 'ab'.repeat(32), chain_id: 5 };
  await node.send('POST', `/v1/commitments/${first.batch_id}/anchored`, anchor);
  expect((await node.send('GET', `/api/v1/ves/commitments?${query}`)).json.count).toBe(2);
  expect((await node.send('GET', `/api/v1/ves/commitments?${query}&from=1&limit=2`)).json).toMatchObject({
    count: 2,
    commitments: [{ sequence_start: 1 }, { sequence_start: 6, is_anchored: true, chain_id: 5 }],
  });
  expect((await node.send('GET', `/api/v1/commitments?${query}&from=14`)).json.count).toBe(0);
});
