import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { checkDatabase } from '../../bin/fsck/check-database.ts';
import { reencryptDatabase, type ReencryptReport } from '../../bin/reencrypt/reencrypt-database.ts';
import { legacyPayloadHash } from '../../domain/legacy/hashes.ts';
import type { Sequence, StoreKey } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { createPool } from '../../storage/postgres/pool.ts';
import { scanSession } from '../../bin/scan-database.ts';
import { batchOf, newStore, randomEvent } from '../support/event-log.ts';
import { fillStore, type FilledStore, storeQuery } from '../support/filled-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openTestLog } from '../support/postgres-event-log.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const keysOf = (...keys: Buffer[]) => ({ general: keys, byTenant: new Map<string, Buffer[]>() });
const envOf = (...keys: Buffer[]) => ({
  PAYLOAD_ENCRYPTION_MODE: 'optional',
  PAYLOAD_ENCRYPTION_KEYS: keys.map((key) => key.toString('hex')).join(),
});

let database: TestDatabase;
let pool: pg.Pool;
beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({
    ...scanSession(database.url),
    connectionsMax: 4,
    connectionsMin: 0,
    acquireTimeoutMs: 5_000,
    idleTimeoutMs: 10_000,
    lifetimeMaxMs: 60_000,
    log: { warn: () => undefined },
  });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

function reencrypt(
  keys: ReturnType<typeof keysOf>,
  options: Partial<Parameters<typeof reencryptDatabase>[0]> = {},
): Promise<ReencryptReport> {
  return reencryptDatabase({
    pool,
    masterKeys: keys,
    tenantId: null,
    storeId: null,
    batchSize: 7,
    limit: Infinity,
    isDryRun: false,
    onProgress: () => undefined,
    ...options,
  });
}

async function fsck(keys: ReturnType<typeof keysOf>) {
  const scope = { databaseUrl: database.url, tenantId: null, storeId: null, jobs: 1 };
  return checkDatabase({ ...scope, masterKeys: keys, onProgress: () => undefined });
}

/** How many events of both worlds each key has sealed; `null` for none. */
async function keyNumbers(): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ key: number | null; count: string }>(
    `select encryption_key_number as key, count(*) from
       (select encryption_key_number from legacy_events union all select encryption_key_number from ves_events) e
      group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [String(key), Number(count)]));
}

async function fill(env: Readonly<Record<string, string>>): Promise<FilledStore> {
  const node = await openVesNode(database.url, { env });
  try {
    return await fillStore(node);
  } finally {
    await node.close();
  }
}

async function readAll(node: VesNode, store: StoreKey): Promise<string[]> {
  const paths = ['/api/v1/events', '/api/v1/ves/events'];
  const answers = await Promise.all(paths.map((path) => node.send('GET', `${path}?${storeQuery(store)}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  return answers.map(({ text }) => text);
}

test('encrypts what is stored in plain, and changes nothing that anyone reads', async () => {
  const store = await fill({});
  const before = await openVesNode(database.url);
  const texts = await readAll(before, store);
  await before.close();
  expect(await keyNumbers()).toEqual({ null: 36 });

  expect(await reencrypt(keysOf(first), { isDryRun: true })).toMatchObject({ updated: 36, skipped: 0 });
  expect(await keyNumbers()).toEqual({ null: 36 });
  expect(await reencrypt(keysOf(first))).toMatchObject({
    scanned: 36,
    updated: 36,
    skipped: 0,
    problemCount: 0,
  });
  expect(await keyNumbers()).toEqual({ 1: 36 });
  expect(await reencrypt(keysOf(first))).toMatchObject({ scanned: 36, updated: 0, skipped: 36 });

  const after = await openVesNode(database.url, {
    env: { ...envOf(first), PAYLOAD_ENCRYPTION_MODE: 'required' },
  });
  expect(await readAll(after, store)).toEqual(texts);
  await after.close();
  await expect(fsck(keysOf(first))).resolves.toMatchObject({ holds: true, unreadablePayloads: 0 });
});

test('brings keys and payloads under the new first master key, so that the old one can go', async () => {
  const store = await fill(envOf(first));
  const rotated = keysOf(second, first);
  expect(await reencrypt(rotated, { isDryRun: true })).toMatchObject({ updated: 36, keysRewrapped: 1 });
  expect(await reencrypt(rotated)).toMatchObject({ updated: 36, keysRewrapped: 1, keysLocked: 0 });
  expect(await keyNumbers()).toEqual({ 2: 36 });
  const node = await openVesNode(database.url, { env: envOf(second) });
  await readAll(node, store);
  await node.close();
  await expect(fsck(keysOf(second))).resolves.toMatchObject({ holds: true, unreadablePayloads: 0 });
  await expect(fsck(keysOf(first))).resolves.toMatchObject({ unreadablePayloads: 36 });
});

test("moves a tenant under a master key of its own, and leaves the others' alone", async () => {
  const [mine, other] = [await fill(envOf(first)), await fill(envOf(first))];
  const own = { ...keysOf(first), byTenant: new Map([[mine.tenantId, [third]]]) };
  await expect(reencrypt(own)).resolves.toMatchObject({ updated: 36, skipped: 36, keysRewrapped: 1 });
  await expect(fsck(keysOf(first))).resolves.toMatchObject({ unreadablePayloads: 36 });
  await expect(fsck(own)).resolves.toMatchObject({ unreadablePayloads: 0, holds: true });
  const { rows } = await pool.query('select count(*) from payload_keys where tenant_id = $1', [
    other.tenantId,
  ]);
  expect(rows).toEqual([{ count: '1' }]);
});

test('stops at a limit, goes on from there, and works on one tenant or store alone', async () => {
  const [mine, other] = [await fill({}), await fill({})];
  const { tenantId, storeId } = mine;
  const some = await reencrypt(keysOf(first), { tenantId, limit: 10 });
  expect(some).toMatchObject({ updated: 10, limitReached: true });
  expect(await keyNumbers()).toEqual({ 1: 10, null: 62 });
  const rest = await reencrypt(keysOf(first), { tenantId, storeId });
  expect(rest).toMatchObject({ scanned: 36, updated: 26, skipped: 10, limitReached: false });
  expect(await keyNumbers()).toEqual({ 1: 36, null: 36 });
  await reencrypt(keysOf(first), { storeId: other.storeId });
  expect(await keyNumbers()).toEqual({ 1: 72 });
});

test('leaves alone what is not what its row says, and names it', async () => {
  const store = await fill({});
  await pool.query(`update ves_events set payload = '{"forged":1}' where sequence = 1`);
  const report = await reencrypt(keysOf(first));
  expect(report).toMatchObject({ updated: 35, problemCount: 1 });
  expect(report.problems[0]).toMatch(new RegExp(`^${store.tenantId}/${store.storeId} ves 1: its hash is`));
  const { rows } = await pool.query(
    'select payload, encryption_key_number from ves_events where sequence = 1',
  );
  expect(rows).toEqual([{ payload: Buffer.from('{"forged":1}'), encryption_key_number: null }]);
});

test('says which keys it lacks, and leaves their payloads alone', async () => {
  await fill(envOf(first));
  const report = await reencrypt(keysOf(second));
  expect(report).toMatchObject({ updated: 0, problemCount: 36, keysLocked: 1 });
  expect(await keyNumbers()).toEqual({ 1: 36 });
});

test('nodes that append and read meanwhile notice nothing, and take up the new key', async () => {
  const store = await fill({});
  const nodes = await Promise.all(
    [envOf(first), envOf(second, first)].map((env) => openVesNode(database.url, { env })),
  );
  const log = nodes[1]!.storage.log;
  const mine = newStore();
  const claim = await log.claim(mine, 'writer');
  let head = 0;
  let isDone = false;
  const write = async (): Promise<void> => {
    while (!isDone) {
      const events = Array.from({ length: 20 }, () => randomEvent());
      expect(await log.append(batchOf(claim, head, events))).toEqual({ kind: 'appended' });
      head += 20;
      expect(await log.readLegacy(mine, 1 as Sequence, head as Sequence)).toHaveLength(head);
    }
  };
  const writing = write();
  for (let round = 0; round < 3; round++) {
    const report = await reencrypt(keysOf(second, first));
    expect(report.problemCount).toBe(0);
    expect((await readAll(nodes[1]!, store)).length).toBe(2);
  }
  isDone = true;
  await writing;
  for (const node of nodes) await node.close();
  await expect(fsck(keysOf(second))).resolves.toMatchObject({ unreadablePayloads: 0 });
});

test('killed with SIGKILL in the middle it leaves every payload readable, and goes on when started again', async () => {
  const eventCount = 6_000;
  const opened = await openTestLog(database.url);
  const store = newStore();
  const claim = await opened.log.claim(store, 'writer');
  for (let head = 0; head < eventCount; head += 1_000) {
    const payload = Buffer.from('{"n":1}');
    const payloadHash = legacyPayloadHash(payload, nodeSha256);
    const events = Array.from({ length: 1_000 }, () => randomEvent({ payload, payloadHash }));
    await opened.log.append(batchOf(claim, head, events));
  }
  await opened.close();
  const args = ['reencrypt', '--database-url', database.url, '--batch-size', '10'];
  const { child, ended } = startCli(args, envOf(first));
  await until('some are done', async () => ((await keyNumbers())['1'] ?? 0) > 500);
  child.kill('SIGKILL');
  await ended;
  const numbers = await keyNumbers();
  expect(numbers.null).toBeGreaterThan(0);
  expect((numbers['1'] ?? 0) + (numbers.null ?? 0)).toBe(eventCount);
  expect(
    (await fsck(keysOf(first))).findings.filter(({ column }) => column === 'legacy_events.payload'),
  ).toEqual([]);

  const again = await runCli(['reencrypt', '--database-url', database.url], envOf(first));
  expect(again.stdout).toMatch(
    new RegExp(`^scanned ${eventCount}\nupdated \\d+\nskipped_current_key \\d+\n`),
  );
  expect(again.code).toBe(0);
  expect(await keyNumbers()).toEqual({ 1: eventCount });
  const { rows } = await pool.query('select action, actor_type from audit_log');
  expect(rows).toEqual([{ action: 'payloads_reencrypted', actor_type: 'command' }]);
}, 60_000);

test('the command wants keys, and says what a dry run would do', async () => {
  await fill({});
  const args = ['reencrypt', '--database-url', database.url];
  await expect(runCli(args, {})).resolves.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('neither PAYLOAD_ENCRYPTION_KEYS nor PAYLOAD_ENCRYPTION_KEY is set'),
  });
  await expect(runCli([...args, '--dry-run'], envOf(first))).resolves.toMatchObject({
    code: 0,
    stdout: 'scanned 36\nwould_update 36\nskipped_current_key 0\nwould_rewrap_keys 0\n',
  });
  await expect(runCli([...args, '--batch-size', '0'], envOf(first))).resolves.toMatchObject({ code: 2 });
});
