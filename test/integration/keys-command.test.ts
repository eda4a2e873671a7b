import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

const cli = join(import.meta.dirname, '../../bin/sequencer.ts');
const tenant = randomUUID();
const agent = randomUUID();
const store = randomUUID();

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

function keys(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, 'keys', ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe.each<[string, () => string[]]>([
  ['a node', () => ['--server', `${node.url}/`, '--key', adminKey]],
  ['the database', () => ['--database-url', database.url]],
])('keys by way of %s', (_way, access) => {
  test('are made, listed and revoked', async () => {
    const limits = ['--agent', agent, '--store', store, '--read-only', '--rate-limit', '60'];
    const made = await keys('create', '--tenant', tenant, ...limits, ...access());
    expect(made).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('shown once (read, hash prefix '),
    });
    const key = made.stdout.trimEnd();
    const prefix = hashApiKey(key).slice(0, 16);
    const path = `/api/v1/head?tenant_id=${tenant}&store_id=${store}`;
    expect((await node.send('GET', path, undefined, key)).status).toBe(200);
    await keys('create', '--tenant', tenant, '--admin', ...access());

    const listed = await keys('list', '--tenant', tenant, ...access());
    const [headings, admin, bound] = listed.stdout.split('\n');
    expect(headings).toMatch(/^PREFIX +STATE +MAY +AGENT +STORES +A MINUTE +MADE$/);
    expect(admin).toMatch(/^[0-9a-f]{16} {2}active +admin +- +all +no limit +\d{4}-/);
    expect(bound).toMatch(new RegExp(`^${prefix} {2}active +read +${agent} +1 +60 +`));
    const ofAgent = await keys('list', '--tenant', tenant, '--agent', agent, '--json', ...access());
    expect(JSON.parse(ofAgent.stdout.split('\n')[0] ?? '')).toMatchObject({
      keyHashPrefix: prefix,
      storeIds: [store],
    });

    const revoked = await keys('revoke', '--tenant', tenant, prefix, ...access());
    expect(revoked).toMatchObject({ code: 0, stderr: 'The key is revoked.\n' });
    expect(await node.storage.keys.findByHash(hashApiKey(key))).toMatchObject({ active: false });
    expect((await keys('revoke', '--tenant', tenant, 'ff'.repeat(32), ...access())).code).toBe(2);
    const [entry] = await node.storage.auditEntries.list(
      { tenantId: tenant as never, action: 'api_key_revoked', from: null, to: null },
      { after: null, limit: 1 },
    );
    expect(entry).toMatchObject({ resourceId: prefix, details: { wasActive: true } });
  }, 60_000);
});

test.each<[string[], RegExp]>([
  [['create'], /required option '--tenant/],
  [['create', '--tenant', 'x'], /It must be a UUID/],
  [['create', '--tenant', tenant, '--read-only', '--admin'], /cannot be used with option/],
  [['create', '--tenant', tenant, '--rate-limit', '0'], /an integer from 1/],
  [['list', '--tenant', tenant, '--server', 'x', '--key', 'y'], /takes a URL/],
  [['list', '--tenant', tenant, '--server', 'http://127.0.0.1:1'], /needs --key/],
  [['list', '--tenant', tenant, '--server', 'http://127.0.0.1:1', '--key', 'x'], /gives no answer/],
  [['list', '--tenant', tenant, '--database-url', 'postgres://nobody@127.0.0.1:1/none'], /ECONNREFUSED/],
])('keys %j ends with a sentence', async (args, complaint) => {
  const { code, stderr, stdout } = await keys(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(complaint);
  expect(stderr).not.toMatch(/ at .*\.ts/);
});
