import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { LogRolledBack, LogUnfit } from '../../domain/errors.ts';
import type { StoreKey } from '../../domain/types.ts';
import { AcknowledgedHeads } from '../../services/known-heads/acknowledged-heads.ts';
import type { Claim } from '../../storage/event-log.ts';
import { recordBytes } from '../../storage/known-heads/head-record.ts';
import { readHeadsFile } from '../../storage/known-heads/heads-file.ts';
import { LossAcceptance } from '../../storage/postgres/loss-acceptance.ts';
import { postgresLostHeads } from '../../storage/postgres/lost-heads.ts';
import { batchOf, newStore, randomEvent } from '../support/event-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openTestLog, type OpenedLog } from '../support/postgres-event-log.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const everyStore = { tenantId: null, storeId: null };
const operator = {
  actor: 'someone@somewhere',
  actorType: 'command',
  requestId: null,
  ipAddress: null,
  userAgent: null,
} as const;

describe.each(serverNames)('known heads, with %s', (server) => {
  let database: TestDatabase;
  let opened: OpenedLog;
  let folder: string;
  const path = (): string => join(folder, 'known-heads');

  beforeEach(async () => {
    database = await createTestDatabase(server);
    opened = await openTestLog(database.url);
    folder = mkdtempSync(join(tmpdir(), 'known-heads-'));
  });
  afterEach(async () => {
    await opened.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function openHeads(
    name = 'node-1',
    storesMax = 100,
  ): Promise<AcknowledgedHeads & { clock: ManualClock }> {
    const clock = new ManualClock();
    const heads = await AcknowledgedHeads.open({
      path: join(folder, name === 'node-1' ? 'known-heads' : name),
      nodeId: name,
      storesMax,
      lostHeads: postgresLostHeads(opened.pool),
      clock,
      log: pino({ level: 'silent' }),
    });
    return Object.assign(heads, { clock });
  }

  /** Appends `count` events as an owner does, and notes them. @returns the claim */
  async function append(heads: AcknowledgedHeads, store: StoreKey, count: number): Promise<Claim> {
    const claim = await opened.log.claim(store, 'node-1');
    await heads.check(claim);
    const batch = batchOf(
      claim,
      claim.heads.legacy,
      Array.from({ length: count }, () => randomEvent()),
    );
    expect(await opened.log.append(batch)).toEqual({ kind: 'appended' });
    heads.note(claim, batch);
    return claim;
  }

  /** What a restore does to a store, without the restore. */
  async function rollBack({ tenantId, storeId }: StoreKey, head: number): Promise<void> {
    await opened.pool.query(
      `with row as (update streams set legacy_head = $3, epoch = 1 where tenant_id = $1 and store_id = $2 returning store_number)
       delete from legacy_events e using row where e.store_number = row.store_number and e.sequence > $3`,
      [tenantId, storeId, head],
    );
  }

  async function accept(): Promise<number> {
    const acceptance = new LossAcceptance(opened.pool, operator);
    return acceptance.accept(everyStore, (await acceptance.open(everyStore)).token);
  }

  async function losses(): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const page of new LossAcceptance(opened.pool, operator).pages(everyStore)) found.push(...page);
    return found;
  }

  test('a store that is behind is refused to every node until the loss is accepted; others go on', async () => {
    const [behind, whole] = [newStore(), newStore()];
    const heads = await openHeads();
    await append(heads, behind, 5);
    await append(heads, whole, 5);
    await heads.close();
    await rollBack(behind, 3);

    const restarted = await openHeads();
    expect(await postgresLostHeads(opened.pool).openStores()).toBe(1);
    await expect(opened.log.claim(behind, 'node-2')).rejects.toBeInstanceOf(LogRolledBack);
    await append(restarted, whole, 1);
    expect(await losses()).toEqual([
      { ...behind, world: 'legacy', durableHead: 3, from: 4, to: 5, isForked: false, nodeIds: ['node-1'] },
    ]);

    expect(await accept()).toBe(1);
    await append(restarted, behind, 1);
    expect(await opened.log.heads(behind)).toEqual({ legacy: 4, ves: 0 });
    await restarted.close();
    // What was accepted is not found again, and what was acknowledged since is known.
    await (await openHeads()).close();
    expect(await losses()).toEqual([]);
    const { rows } = await opened.pool.query(
      `select action, actor, details from audit_log where action = 'rollback_accepted'`,
    );
    expect(rows).toEqual([
      expect.objectContaining({ actor: operator.actor, details: expect.objectContaining({ stores: 1 }) }),
    ]);
  });

  test('the next claim finds what a restore under a running node took', async () => {
    const store = newStore();
    const heads = await openHeads();
    await append(heads, store, 5);
    await rollBack(store, 0);
    await expect(append(heads, store, 1)).rejects.toBeInstanceOf(LogRolledBack);
    expect(await losses()).toMatchObject([{ durableHead: 0, from: 1, to: 5 }]);
    await heads.close();
  });

  test('a log that went on after a restore is found out, though it is as long as before', async () => {
    const store = newStore();
    const heads = await openHeads();
    await append(heads, store, 5);
    await rollBack(store, 3);
    const other = await openHeads('node-2'); // It knows nothing of the store.
    const owner = await append(other, store, 4);
    await expect(append(heads, store, 1)).rejects.toBeInstanceOf(LogRolledBack);
    expect(await losses()).toMatchObject([{ durableHead: 7, from: 5, to: 5, isForked: true }]);
    // Whoever owned it does so no longer.
    const batch = batchOf({ ...owner, heads: { ...owner.heads } }, 7, [randomEvent()]);
    expect(await opened.log.append(batch)).toMatchObject({ kind: 'fenced' });
    await Promise.all([heads.close(), other.close()]);
  });

  test('a second loss after an accepted one is a loss of its own', async () => {
    const store = newStore();
    const heads = await openHeads();
    await append(heads, store, 5);
    await rollBack(store, 1);
    await expect(append(heads, store, 1)).rejects.toBeInstanceOf(LogRolledBack);
    await accept();
    const { epoch } = await append(heads, store, 2);
    await opened.pool.query('update streams set legacy_head = 2');
    await opened.pool.query('delete from legacy_events where sequence > 2');
    await expect(append(heads, store, 1)).rejects.toBeInstanceOf(LogRolledBack);
    expect(await losses()).toMatchObject([{ durableHead: 2, from: 3, to: 3 }]);
    const { rows } = await opened.pool.query('select epoch, accepted_at from lost_heads order by epoch');
    expect(rows).toEqual([
      { epoch: '1', accepted_at: expect.any(Date) },
      { epoch: String(epoch), accepted_at: null },
    ]);
    await heads.close();
  });

  test('a store that is gone altogether is closed too, and a token stands for exactly what was shown', async () => {
    const store = newStore();
    const heads = await openHeads();
    await append(heads, store, 2);
    await opened.pool.query('delete from streams');
    await opened.pool.query('delete from legacy_events');
    await expect(append(heads, store, 1)).rejects.toBeInstanceOf(LogRolledBack);
    const acceptance = new LossAcceptance(opened.pool, operator);
    const { token } = await acceptance.open(everyStore);
    await opened.pool.query(
      `insert into lost_heads select tenant_id, store_id, 'ves', 1, leaf_hash, epoch, 0, 'node-9' from lost_heads`,
    );
    await expect(acceptance.accept(everyStore, token)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(opened.log.claim(store, 'node-1')).rejects.toBeInstanceOf(LogRolledBack);
    expect(await acceptance.open({ tenantId: null, storeId: newStore().storeId })).toEqual({
      stores: 0,
      token: '',
    });
    await accept();
    expect((await append(heads, store, 1)).epoch).toBeGreaterThan(2);
    await heads.close();
  });

  test('the file is written once a second, and kill -9 in between loses that second only', async () => {
    const [first, second] = [newStore(), newStore()];
    const heads = await openHeads();
    await append(heads, first, 1);
    heads.clock.advance(1_000);
    await until('the file', () => isThere(path()));
    await append(heads, first, 1);
    await append(heads, second, 1);
    heads.clock.advance(999);
    // As a process that is killed leaves it.
    const left = await readHeadsFile(path());
    expect(left?.heads).toMatchObject([{ ...first, legacy: { sequence: 1 } }]);
    heads.clock.advance(1);
    await until('the second write', async () => (await readHeadsFile(path()))?.heads.length === 3);
    await heads.close();
    expect((await readHeadsFile(path()))?.heads.map(({ legacy }) => legacy?.sequence)).toEqual([1, 2, 1]);
  });

  test('a torn record is left out, and a file of another version stops the start', async () => {
    const stores = [newStore(), newStore(), newStore()];
    const heads = await openHeads();
    for (const store of stores) await append(heads, store, 1);
    await heads.close();
    truncateSync(path(), statSync(path()).size - 10);
    expect(await readHeadsFile(path())).toMatchObject({ heads: stores.slice(0, 2), damaged: 0 });
    const bytes = readFileSync(path());
    bytes[8 + 40]! ^= 1;
    writeFileSync(path(), bytes);
    expect(await readHeadsFile(path())).toMatchObject({ heads: stores.slice(1, 2), damaged: 1 });
    bytes[7] = 2;
    writeFileSync(path(), bytes);
    await expect(openHeads()).rejects.toBeInstanceOf(LogUnfit);
  });

  test('only so many stores are known, those appended to last', async () => {
    const stores = [newStore(), newStore(), newStore()];
    const heads = await openHeads('node-1', 2);
    for (const store of stores) await append(heads, store, 1);
    await heads.close();
    expect(statSync(path()).size).toBe(8 + 2 * recordBytes);
    expect((await readHeadsFile(path()))?.heads).toMatchObject(stores.slice(1));
  });
});

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
