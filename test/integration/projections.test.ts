import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type pg from 'pg';
import pino from 'pino';
import type { StoreKey } from '../../domain/types.ts';
import { ProjectionRunner } from '../../services/projections/projection-runner.ts';
import { StreamProjector } from '../../services/projections/stream-projector.ts';
import { systemClock } from '../../services/system-clock.ts';
import { MasterKeys, noMasterKeys } from '../../storage/payloads/master-keys.ts';
import { PayloadVault } from '../../storage/payloads/payload-vault.ts';
import { postgresPayloadKeys } from '../../storage/postgres/payload-keys.ts';
import { postgresProjections } from '../../storage/postgres/postgres-projections.ts';
import { TenantErasure } from '../../storage/postgres/tenant-erasure.ts';
import type { DeadLetter, Projections } from '../../storage/projections.ts';
import { newStore } from '../support/event-log.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { appendPlain, plainEvent, plainEvents } from '../support/projections.ts';
import { until } from '../support/until.ts';

const claimSecs = 2;

describe.each(serverNames)('projections on %s', (server) => {
  let database: TestDatabase;
  let node: OpenedLog;
  let projections: Projections;
  const running: ProjectionRunner[] = [];
  beforeAll(async () => {
    database = await createTestDatabase(server);
    node = await openTestLog(database.url);
    projections = openProjections(node.pool);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((runner) => runner.stop()));
  });
  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  function openProjections(pool: pg.Pool, vault = plainVault(pool)): Projections {
    return postgresProjections({ pool, vault, claimSecs });
  }

  function plainVault(pool: pg.Pool): PayloadVault {
    return new PayloadVault({
      mode: 'disabled',
      keys: postgresPayloadKeys(pool, new MasterKeys(noMasterKeys)),
    });
  }

  const added: number[] = [];
  function projectorOn(of: Projections): StreamProjector {
    return new StreamProjector({
      projections: of,
      clock: systemClock,
      random: () => 0.5,
      observer: {
        projected: () => undefined,
        deadLettersAdded: (count) => void added.push(count),
        deadLetterRetried: () => undefined,
      },
    });
  }

  function run(
    claimant: string,
    of: Projections = projections,
    projector = projectorOn(of),
  ): ProjectionRunner {
    const runner = new ProjectionRunner({
      projections: of,
      projector,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      claimant,
      claimSecs,
      sharePercent: 100,
      busySharePercent: 100,
      isBusy: () => false,
      onFigures: () => undefined,
    });
    running.push(runner);
    runner.start();
    return runner;
  }

  async function isProjected(store: StoreKey, to: number): Promise<void> {
    await until(`projected to ${to}`, async () => (await projections.find(store))?.lastSequence === to);
  }

  /** Everything that is projected of a store, times and ids of dead letters left out. */
  async function contents(store: StoreKey): Promise<unknown> {
    const of = `(select store_number from streams where tenant_id = '${store.tenantId}' and store_id = '${store.storeId}')`;
    const [entities, rejected, deadLetters, checkpoint] = await Promise.all(
      [
        `select entity_type, entity_id, version, last_sequence, state::text from projected_entities
          where store_number = ${of} order by 1, 2`,
        `select original_sequence, original_event_id, entity_type, entity_id, event_type, reason_code, reason,
                expected_version, actual_version from rejected_events_log where store_number = ${of} order by 1`,
        `select sequence_number, event_id, reason, status, error_message, retry_count, max_retries
           from dead_letter_events where store_number = ${of} order by 1`,
        `select last_sequence, applied, refused, skipped from projection_checkpoints where store_number = ${of}`,
      ].map(async (text) => (await node.pool.query(text)).rows as unknown[]),
    );
    return { entities, rejected, deadLetters, checkpoint };
  }

  /** Projects a store to its end, here and now. */
  async function projectAll(store: StoreKey, projector = projectorOn(projections)): Promise<void> {
    await projections.claimDue({ claimant: 'test', claimSecs, streamsMax: 1_000, except: [] });
    for (;;) {
      const stream = (await projections.find(store))!;
      if (stream.lastSequence === stream.head) return;
      await projector.projectBatch(stream);
    }
  }

  const deadLettersOf = (store: StoreKey): Promise<DeadLetter[]> =>
    projections.listDeadLetters({ ...store, status: null, reason: null }, { after: null, limit: 1_000 });

  test('events become rows that SQL can ask, exactly', async () => {
    const store = newStore();
    await appendPlain(node.log, store, [
      plainEvent(
        'order.created',
        { customer_id: 'C-1', total_amount: '19.90', line_items: [{ sku: 'S' }] },
        { entityId: 'O-1' },
      ),
      plainEvent('order.confirmed', {}, { entityId: 'O-1', baseVersion: 1 }),
      plainEvent('inventory.initialized', { quantity: 9007199254740993n }, { entityId: 'SKU:north' }),
      plainEvent('inventory.reserved', { quantity: 1 }, { entityId: 'SKU:north' }),
      plainEvent('product.created', { sku: 'S', price: 3.5 }, { entityId: 'P-1' }),
      plainEvent('customer.created', { email: 'a@example.org' }, { entityId: 'C-1' }),
      plainEvent(
        'return.requested',
        { order_id: 'O-1', customer_id: 'C-1', reason: 'broken' },
        { entityId: 'R-1' },
      ),
    ]);
    run('node-1');
    await isProjected(store, 7);
    const one = async (text: string) =>
      ((await node.pool.query(`${text} where tenant_id = $1`, [store.tenantId])).rows as unknown[])[0];
    expect(
      await one('select order_id, status, total_amount, line_items, version from projected_orders'),
    ).toEqual({
      order_id: 'O-1',
      status: 'confirmed',
      total_amount: '19.90',
      line_items: [{ sku: 'S' }],
      version: '2',
    });
    expect(
      await one('select product_id, location, on_hand, reserved, available from projected_inventory'),
    ).toEqual({
      product_id: 'SKU',
      location: 'north',
      on_hand: '9007199254740993',
      reserved: '1',
      available: '9007199254740992',
    });
    expect(await one('select sku, price, active from projected_products')).toEqual({
      sku: 'S',
      price: '3.5',
      active: true,
    });
    expect(await one('select email, addresses from projected_customers')).toEqual({
      email: 'a@example.org',
      addresses: [],
    });
    expect(await one('select status, refund_amount from projected_returns')).toEqual({
      status: 'requested',
      refund_amount: null,
    });
    expect(
      (await projections.readEntity(store, { entityType: 'inventory', entityId: 'SKU:north' })).entity,
    ).toMatchObject({
      version: 2,
      lastSequence: 4,
      state: { on_hand: 9007199254740993n },
    });
  });

  test('poison is refused and recorded, and the stream goes on', async () => {
    const store = newStore();
    await appendPlain(node.log, store, [
      plainEvent('order.created', Buffer.from('{"secret":')),
      plainEvent('order.shipped'),
      plainEvent('customer.created', { email: 7 }),
      plainEvent('order.created', { customer_id: 'C' }, { baseVersion: 4 }),
      plainEvent('order.created', { customer_id: 'a\u0000b' }),
      plainEvent('order.created', { customer_id: 'C' }),
      plainEvent('order.delivered'),
    ]);
    run('node-1');
    await isProjected(store, 7);
    const deadLetters = (await deadLettersOf(store)).sort((a, b) => a.sequence - b.sequence);
    expect(deadLetters.map(({ sequence, reason, status }) => [sequence, reason, status])).toEqual([
      [1, 'handler_error', 'pending'],
      [2, 'unknown', 'pending'],
      [3, 'schema_validation', 'pending'],
      [4, 'version_conflict', 'pending'],
      [5, 'schema_validation', 'pending'],
      [7, 'invalid_state_transition', 'failed'],
    ]);
    const { rows } = await node.pool.query(
      `select original_sequence, reason_code, expected_version, actual_version from rejected_events_log
        join streams using (store_number) where tenant_id = $1 and reason_code in ('version_conflict', 'entity_not_found')
       order by 1`,
      [store.tenantId],
    );
    expect(rows).toEqual([
      {
        original_sequence: '2',
        reason_code: 'entity_not_found',
        expected_version: null,
        actual_version: null,
      },
      { original_sequence: '4', reason_code: 'version_conflict', expected_version: '4', actual_version: '0' },
    ]);
    expect(deadLetters.map(({ errorMessage }) => errorMessage).join()).not.toContain('secret');
    const read = await projections.readEntity(store, { entityType: 'order', entityId: 'E-1' });
    expect(read.entity).toMatchObject({ version: 1, lastSequence: 6 });
  });

  test('two nodes that race over every batch apply each event once', async () => {
    const store = newStore();
    const count = 1_000;
    await appendPlain(node.log, store, [
      plainEvent('inventory.initialized', { quantity: 0 }),
      ...Array.from({ length: count - 1 }, () => plainEvent('inventory.adjusted', { delta: 1 })),
    ]);
    await projections.claimDue({ claimant: 'test', claimSecs: 0, streamsMax: 1_000, except: [] });
    const race = async (): Promise<number> => {
      let lost = 0;
      for (;;) {
        const stream = (await projections.find(store))!;
        if (stream.lastSequence === stream.head) return lost;
        if ((await projectorOn(projections).projectBatch(stream)) === null) lost++;
      }
    };
    const lost = await Promise.all([race(), race(), race()]);
    expect(lost.reduce((sum, one) => sum + one)).toBeGreaterThan(0);
    const read = await projections.readEntity(store, { entityType: 'inventory', entityId: 'E-1' });
    expect(read.entity).toMatchObject({ version: count, state: { on_hand: count - 1 } });
    expect(await contents(store)).toMatchObject({ checkpoint: [{ applied: String(count) }] });
  });

  test('two runners share the streams, and one takes over those of another that died', async () => {
    const stores = Array.from({ length: 6 }, newStore);
    for (const store of stores) {
      await appendPlain(
        node.log,
        store,
        Array.from({ length: 250 }, () => plainEvent('order.created', { customer_id: 'C' })),
      );
    }
    // As of a node that was killed: its claims are there, and nothing comes of them.
    await projections.claimDue({ claimant: 'dead', claimSecs, streamsMax: 1_000, except: [] });
    run('node-1');
    run('node-2');
    for (const store of stores) await isProjected(store, 250);
    for (const store of stores) expect(await deadLettersOf(store)).toHaveLength(249);
  });

  test('a stream with very many events does not hold up the others', async () => {
    const [long, short] = [newStore(), newStore()];
    for (let batch = 0; batch < 10; batch++) {
      await appendPlain(
        node.log,
        long,
        Array.from({ length: 1_000 }, () => plainEvent('parcel.sent')),
      );
    }
    const runner = run('node-1');
    await until('it began', async () => ((await projections.find(long))?.lastSequence ?? 0) > 0);
    await appendPlain(node.log, short, [plainEvent('order.created', { customer_id: 'C' })]);
    runner.wake();
    await isProjected(short, 1);
    await isProjected(long, 10_000);
  });

  test('a step that is saved although its reply is lost is not made twice', async () => {
    const store = newStore();
    await appendPlain(node.log, store, [
      plainEvent('inventory.initialized'),
      plainEvent('inventory.adjusted', { delta: 5 }),
    ]);
    let losses = 1;
    const lossy: Projections = {
      ...projections,
      advance: async (stream, step) => {
        const advanced = await projections.advance(stream, step);
        if (losses-- > 0) throw new Error('the reply is lost');
        return advanced;
      },
    };
    await projections.claimDue({ claimant: 'test', claimSecs: 0, streamsMax: 1_000, except: [] });
    const stream = (await projections.find(store))!;
    await expect(projectorOn(lossy).projectBatch(stream)).rejects.toThrow('lost');
    expect(await projectorOn(lossy).projectBatch(stream)).toBeNull();
    expect(
      (await projections.readEntity(store, { entityType: 'inventory', entityId: 'E-1' })).entity,
    ).toMatchObject({
      version: 2,
      state: { on_hand: 5 },
    });
  });

  test('what is projected again from the start is what was projected event by event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plainEvents(60), { minLength: 1, maxLength: 4 }), async (runs) => {
        const store = newStore();
        const events = runs.filter((run) => run.length > 0);
        if (events.length === 0) return;
        for (const run of events) {
          await appendPlain(node.log, store, run);
          await projectAll(store);
        }
        const before = await contents(store);
        expect(await projections.reset(store)).toBe(true);
        expect(
          (await projections.readEntity(store, { entityType: 'order', entityId: 'E-1' })).rebuildingTo,
        ).toBe(events.flat().length);
        await projectAll(store);
        expect(await contents(store)).toEqual(before);
      }),
      { numRuns: 15 },
    );
  });

  test('a reset among running nodes leaves nothing of before', async () => {
    const store = newStore();
    await appendPlain(node.log, store, [
      plainEvent('inventory.initialized'),
      ...Array.from({ length: 999 }, () => plainEvent('inventory.adjusted', { delta: 1 })),
    ]);
    run('node-1');
    for (let resets = 0; resets < 5; resets++) {
      await until('some of it', async () => ((await projections.find(store))?.lastSequence ?? 0) >= 100);
      await projections.reset(store);
    }
    await isProjected(store, 1_000);
    expect(
      (await projections.readEntity(store, { entityType: 'inventory', entityId: 'E-1' })).entity,
    ).toMatchObject({
      version: 1_000,
      state: { on_hand: 999 },
    });
    expect(await deadLettersOf(store)).toEqual([]);
  });

  test('a stream that stands still is counted and found; one that is far behind and moves is not', async () => {
    const stalledSecs = 3;
    const impatient = postgresProjections({
      pool: node.pool,
      vault: plainVault(node.pool),
      claimSecs,
      stalledSecs,
    });
    const { tenantId } = newStore();
    const inTenant = (): StoreKey => ({ ...newStore(), tenantId });
    const [begun, moving, done, untouched] = [inTenant(), inTenant(), inTenant(), inTenant()];
    const events = Array.from({ length: 150 }, () => plainEvent('parcel.sent'));
    for (const store of [begun, moving, done]) await appendPlain(node.log, store, events);
    await projectAll(done);
    const projectSome = async (store: StoreKey): Promise<void> => {
      await projectorOn(projections).projectBatch((await projections.find(store))!);
    };
    await projectSome(begun);
    const stalled = () => impatient.listStalledStreams(tenantId, null, 10);
    // Its events are old ones, as all of this file are.
    await appendPlain(node.log, untouched, events);
    await until('three stand still', async () => (await stalled()).length === 3);

    await projectSome(moving);
    const found = await stalled();
    expect(found).toMatchObject([
      { storeId: untouched.storeId, head: 150, lastSequence: 0, updatedAt: null },
      { storeId: begun.storeId, head: 150, lastSequence: 100, waitingSince: found[1]!.updatedAt },
    ]);
    expect(found[0]!.waitingSince).not.toBeNull();
    expect(await impatient.listStalledStreams(tenantId, untouched.storeId, 10)).toMatchObject([
      { storeId: untouched.storeId },
    ]);
    const figures = await impatient.figures();
    expect(figures.stalled).toBe((await impatient.listStalledStreams(null, null, 1_000)).length);
    expect(figures.stalledSecsMax).toBeGreaterThan(stalledSecs);
    // Who waits for five minutes finds the old events alone.
    expect(await projections.listStalledStreams(tenantId, null, 10)).toMatchObject([
      { storeId: untouched.storeId },
    ]);
    expect(await projections.listStreams(tenantId, done.storeId, 10)).toMatchObject([{ waitingSince: null }]);
  });

  describe('dead letters', () => {
    /** A shipment before its order, which is a dead letter by then. */
    async function early(): Promise<{ store: StoreKey; id: DeadLetter['id'] }> {
      const store = newStore();
      await appendPlain(node.log, store, [
        plainEvent('order.confirmed'),
        plainEvent('order.created', { customer_id: 'C' }),
      ]);
      await projectAll(store);
      return { store, id: (await deadLettersOf(store))[0]!.id };
    }

    const statusOf = async (id: DeadLetter['id']) => (await projections.findDeadLetter(id))?.status;

    test('are tried when they are due, and are resolved when they can be applied', async () => {
      const { store, id } = await early();
      expect(await statusOf(id)).toBe('pending');
      run('node-1');
      await node.pool.query(`update dead_letter_events set next_retry_at = now() where id = $1`, [id]);
      await until('it is resolved', async () => (await statusOf(id)) === 'resolved');
      const read = await projections.readEntity(store, { entityType: 'order', entityId: 'E-1' });
      expect(read.entity).toMatchObject({ version: 2, lastSequence: 2, state: { status: 'confirmed' } });
      expect(await projections.claimDeadLetter(id, 10)).toBeNull();
    });

    test('wait longer after each try, and fail after the tenth', async () => {
      const store = newStore();
      await appendPlain(node.log, store, [plainEvent('order.shipped')]);
      await projectAll(store);
      const { id } = (await deadLettersOf(store))[0]!;
      const waits: number[] = [];
      while ((await statusOf(id)) !== 'failed') {
        await node.pool.query(`update dead_letter_events set next_retry_at = now() where id = $1`, [id]);
        const [claimed] = (await projections.claimDueDeadLetters(1_000, 60)).filter((one) => one.id === id);
        expect(await projectorOn(projections).retry(claimed!)).toBe(false);
        const { rows } = await node.pool.query(
          `select round(extract(epoch from next_retry_at - last_retry_at)) as wait from dead_letter_events where id = $1`,
          [id],
        );
        waits.push(Number(rows[0].wait));
      }
      expect(waits).toEqual([120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600, 3_600, 0]);
      expect(await projections.findDeadLetter(id)).toMatchObject({
        retryCount: 10,
        nextRetryAt: null,
        reason: 'unknown',
      });
    });

    test('are applied once however many try', async () => {
      const { store, id } = await early();
      const claims = await Promise.all([1, 2, 3].map(() => projections.claimDeadLetter(id, 10)));
      expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
      const claim = claims.find((one) => one !== null)!;
      // Also when a claim ran out while its holder went on.
      const outcomes = await Promise.all([1, 2, 3].map(() => projectorOn(projections).retry(claim)));
      expect(outcomes.filter((applied) => applied)).toHaveLength(1);
      const read = await projections.readEntity(store, { entityType: 'order', entityId: 'E-1' });
      expect(read.entity).toMatchObject({ version: 2, state: { status: 'confirmed' } });
    });

    test('one that is being tried is not discarded, and one that is discarded is gone', async () => {
      const { id } = await early();
      const claim = await projections.claimDeadLetter(id, 10);
      expect(await projections.discardDeadLetter(id)).toBeNull();
      await projections.noteRefusal(id, {
        reason: 'unknown',
        message: 'no',
        status: 'failed',
        delaySecs: null,
      });
      expect(await projections.discardDeadLetter(id)).toMatchObject({ id });
      expect(await projectorOn(projections).retry(claim!)).toBe(false);
      expect(await projections.findDeadLetter(id)).toBeNull();
    });
  });

  describe('of a tenant with encrypted payloads', () => {
    const masterKeys = { general: [randomBytes(32)], byTenant: new Map() };
    const vaultWith = (keys: typeof masterKeys) =>
      new PayloadVault({ mode: 'disabled', keys: postgresPayloadKeys(node.pool, new MasterKeys(keys)) });

    async function sealedStore(): Promise<StoreKey> {
      const store = newStore();
      const sealing = await openTestLog(database.url, { encryption: { mode: 'required', masterKeys } });
      await appendPlain(sealing.log, store, [
        plainEvent('order.created', { customer_id: 'C-1' }),
        plainEvent('order.confirmed'),
      ]);
      await sealing.close();
      return store;
    }

    test('a node without the key stands still, and one that has it goes on', async () => {
      const store = await sealedStore();
      await expect(projectAll(store)).rejects.toMatchObject({ code: 'PAYLOAD_UNREADABLE' });
      const other = openProjections(node.pool, vaultWith(masterKeys));
      await projectAll(store, projectorOn(other));
      expect(
        (await projections.readEntity(store, { entityType: 'order', entityId: 'E-1' })).entity,
      ).toMatchObject({ version: 2 });
    });

    test('a damaged payload is a dead letter, and the stream goes on', async () => {
      const store = await sealedStore();
      await node.pool.query(
        `update legacy_events e set payload = set_byte(e.payload, 20, 255 - get_byte(e.payload, 20)) from streams s
          where s.store_number = e.store_number and s.tenant_id = $1 and e.sequence = 2`,
        [store.tenantId],
      );
      await projectAll(store, projectorOn(openProjections(node.pool, vaultWith(masterKeys))));
      expect(await deadLettersOf(store)).toMatchObject([
        { sequence: 2, reason: 'handler_error', status: 'pending' },
      ]);
    });

    test('an erasure takes what was projected with it, and nothing is projected again', async () => {
      const store = await sealedStore();
      const other = openProjections(node.pool, vaultWith(masterKeys));
      await projectAll(store, projectorOn(other));
      const stream = (await projections.find(store))!;
      const actor = {
        actor: 'test',
        actorType: 'command',
        requestId: null,
        ipAddress: null,
        userAgent: null,
      } as const;
      const erasure = new TenantErasure(node.pool, actor);
      await erasure.erase(store.tenantId, (await erasure.request(store.tenantId)).token);
      expect(await contents(store)).toEqual({ entities: [], rejected: [], deadLetters: [], checkpoint: [] });
      const late = {
        lastSequence: 2,
        entities: [],
        refusals: [],
        counts: { applied: 0, refused: 0, skipped: 0 },
        resolves: null,
      };
      expect(await other.advance(stream, late)).toBeNull();
      await other.claimDue({ claimant: 'test', claimSecs, streamsMax: 1_000, except: [] });
      expect(await projections.find(store)).toBeNull();
      expect(await projections.reset(store)).toBe(false);
    });
  });
});
