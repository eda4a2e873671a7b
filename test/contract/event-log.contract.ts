import type { LegacyEvent, StoredLegacyEvent } from '../../domain/legacy/event.ts';
import type { Micros, Sequence, StoreKey } from '../../domain/types.ts';
import type { EventLog } from '../../storage/event-log.ts';
import { batchOf, checkLog, headsOf, newStore, randomEvent, randomId } from '../support/event-log.ts';

/** With this bound every log of the suite is opened. */
export const storesPerTenantMax = 5;

/** What every implementation of the log promises. `open` gives one that may hold other stores already. */
export function describeEventLog(open: () => EventLog): void {
  const events = (count: number, fields: Partial<LegacyEvent> = {}): LegacyEvent[] =>
    Array.from({ length: count }, () => randomEvent(fields));
  const idsOf = (...lists: LegacyEvent[][]) => lists.flat().map(({ eventId }) => eventId);
  const seq = (value: number) => value as Sequence;

  describe('claiming', () => {
    test('the first claim of a store finds it empty', async () => {
      const store = newStore();
      const claim = await open().claim(store, 'node-1');
      expect(claim).toMatchObject({ ...store, epoch: 1, heads: headsOf(0) });
      expect(claim).toMatchObject({ previousClaimant: null, lastSequencedAt: null });
    });

    test('each claim raises the epoch and finds what is durable', async () => {
      const log = open();
      const store = newStore();
      const first = await log.claim(store, 'node-1');
      await log.append(batchOf(first, 0, events(2), { sequencedAt: 1_700_000_005_000_001n as Micros }));
      const second = await log.claim(store, 'node-2');
      expect(second.epoch).toBe(first.epoch + 1);
      expect(second.storeNumber).toBe(first.storeNumber);
      expect(second.heads).toEqual(headsOf(2));
      expect(second.previousClaimant).toBe('node-1');
      expect(second.lastSequencedAt).toBe(1_700_000_005_000_001n);
    });

    test('claims of one store at the same time get an epoch each', async () => {
      const log = open();
      const store = newStore();
      const claims = await Promise.all(
        ['a', 'b', 'c', 'd', 'e'].map((claimant) => log.claim(store, claimant)),
      );
      expect(claims.map(({ epoch }) => epoch).sort()).toEqual([1, 2, 3, 4, 5]);
    });

    test('many stores are claimed at once, known and new ones', async () => {
      const log = open();
      const stores = Array.from({ length: 30 }, newStore);
      await Promise.all(stores.slice(0, 15).map((store) => log.claim(store, 'node-1')));
      const claims = await Promise.all(stores.map((store) => log.claim(store, 'node-2')));
      expect(claims.map(({ tenantId, storeId }) => ({ tenantId, storeId }))).toEqual(stores);
      expect(claims.map(({ epoch }) => epoch)).toEqual(stores.map((_, index) => (index < 15 ? 2 : 1)));
      expect(new Set(claims.map(({ storeNumber }) => storeNumber)).size).toBe(30);
    });
  });

  describe('stores of one tenant', () => {
    const storesOf = (count: number) => {
      const { tenantId } = newStore();
      return Array.from({ length: count }, () => ({ ...newStore(), tenantId }));
    };
    const outcomes = async (log: EventLog, stores: readonly StoreKey[]) => {
      const claims = await Promise.allSettled(stores.map((store) => log.claim(store, 'node-1')));
      return claims.map((claim) => (claim.status === 'fulfilled' ? 'claimed' : (claim.reason as unknown)));
    };
    const refused = expect.objectContaining({ kind: 'rejected', code: 'QUOTA_EXCEEDED' }) as unknown;

    test('are made up to their bound, whether one by one or at once', async () => {
      const log = open();
      const [first, ...others] = storesOf(storesPerTenantMax + 3);
      expect(await outcomes(log, [first!])).toEqual(['claimed']);
      const rest = await outcomes(log, others);
      expect(rest.filter((outcome) => outcome === 'claimed')).toHaveLength(storesPerTenantMax - 1);
      expect(rest.filter((outcome) => outcome !== 'claimed')).toEqual([refused, refused, refused]);
    });

    test('that exist are claimed beside others that may not be made', async () => {
      const log = open();
      const stores = storesOf(storesPerTenantMax + 1);
      await outcomes(log, stores.slice(1));
      expect(await outcomes(log, stores)).toEqual([refused, ...stores.slice(1).map(() => 'claimed')]);
    });

    test('do not count for another tenant, and a refused one leaves no trace', async () => {
      const log = open();
      const stores = storesOf(storesPerTenantMax + 1);
      for (const store of stores) await outcomes(log, [store]);
      expect(await log.claim(newStore(), 'node-1')).toMatchObject({ epoch: 1 });
      expect(await log.heads(stores.at(-1)!)).toEqual(headsOf(0));
      expect(await outcomes(log, stores.slice(-1))).toEqual([refused]);
    });
  });

  describe('appending', () => {
    test('what was appended is read back as it was given', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const full = randomEvent({
        commandId: randomId(),
        baseVersion: 0n,
        entityType: 'größe',
        entityId: '名前 🎈',
        createdAt: -62_167_219_200_000_000n as Micros, // The year 0000.
        payload: Buffer.from('{"a":1.0,"b":"\\u0000","c":1e400,"ä":"✓"}'),
        signature: new Uint8Array([0, 1, 254, 255]),
      });
      const late = randomEvent({ createdAt: 253_402_300_799_999_999n as Micros }); // The end of the year 9999.
      const batch = batchOf(claim, 0, [full, late]);
      await expect(log.append(batch)).resolves.toEqual({ kind: 'appended' });

      const stored = await log.readLegacy(store, seq(1), seq(2));
      const plain = (bytes: Uint8Array | null) =>
        bytes === null ? null : Buffer.from(bytes).toString('hex');
      const textOf = ({
        payload,
        payloadHash,
        signature,
      }: Pick<StoredLegacyEvent, 'payload' | 'payloadHash' | 'signature'>) =>
        [payload, payloadHash, signature].map(plain);
      for (const [index, event] of [full, late].entries()) {
        const { payload: _p, payloadHash: _h, signature: _s, payloadHashDiffers: _d, ...rest } = event;
        expect(stored[index]).toMatchObject({
          ...rest,
          ...store,
          sequence: index + 1,
          sequencedAt: batch.sequencedAt,
          baseVersion: event.baseVersion === null ? null : 0,
        });
        expect(textOf(stored[index]!)).toEqual(textOf(event));
        expect(plain(stored[index]!.leafHash)).toBe(plain(batch.legacy[index]!.leafHash));
      }
    });

    test('appends follow one another without gaps', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const [first, second] = [events(3), events(2)];
      await log.append(batchOf(claim, 0, first));
      await expect(log.append(batchOf(claim, 3, second))).resolves.toEqual({ kind: 'appended' });
      await checkLog(log, store, idsOf(first, second));
    });

    test('an owner of an older epoch is fenced, and learns by whom', async () => {
      const log = open();
      const store = newStore();
      const old = await log.claim(store, 'node-1');
      const now = await log.claim(store, 'node-2');
      await expect(log.append(batchOf(old, 0, events(1)))).resolves.toEqual({
        kind: 'fenced',
        epoch: now.epoch,
        claimant: 'node-2',
      });
      await checkLog(log, store, []);
    });

    test('a batch that expects other heads takes no effect', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const first = events(2);
      await log.append(batchOf(claim, 0, first));
      for (const head of [0, 1, 3]) {
        const outcome = await log.append(batchOf(claim, head, events(1)));
        expect(outcome).toEqual({ kind: 'heads-moved', heads: headsOf(2) });
      }
      await checkLog(log, store, idsOf(first));
    });

    test('the same batch sent twice counts once', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const batch = batchOf(claim, 0, events(2));
      const outcomes = await Promise.all([log.append(batch), log.append(batch)]);
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['appended', 'heads-moved']);
    });

    test.each([
      ['an event id that is stored', (stored: LegacyEvent) => [randomEvent({ eventId: stored.eventId })]],
      [
        'a command id that is stored',
        (stored: LegacyEvent) => [randomEvent({ commandId: stored.commandId })],
      ],
      [
        'an event id twice',
        () => {
          const event = randomEvent();
          return [event, randomEvent({ eventId: event.eventId })];
        },
      ],
      [
        'a command id twice',
        () => {
          const commandId = randomId();
          return [randomEvent({ commandId }), randomEvent({ commandId })];
        },
      ],
    ])('a batch with %s conflicts and leaves nothing behind', async (_, repeat) => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const stored = randomEvent({ commandId: randomId() });
      await log.append(batchOf(claim, 0, [stored]));
      const fresh = randomEvent();
      await expect(log.append(batchOf(claim, 1, [fresh, ...repeat(stored)]))).resolves.toEqual({
        kind: 'conflict',
      });
      await checkLog(log, store, [stored.eventId]);
      await expect(log.append(batchOf(claim, 1, [fresh]))).resolves.toEqual({ kind: 'appended' });
      await checkLog(log, store, [stored.eventId, fresh.eventId]);
    });

    test('ids are unique within a store only', async () => {
      const log = open();
      const event = randomEvent({ commandId: randomId() });
      for (const store of [newStore(), newStore()]) {
        const claim = await log.claim(store, 'node-1');
        await expect(log.append(batchOf(claim, 0, [event]))).resolves.toEqual({ kind: 'appended' });
      }
    });

    test('an empty batch stores nothing and tells whether the fence stands', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      await expect(log.append(batchOf(claim, 0, []))).resolves.toEqual({ kind: 'appended' });
      await expect(log.append(batchOf(claim, 1, []))).resolves.toMatchObject({ kind: 'heads-moved' });
      const later = await log.claim(store, 'node-2');
      expect(later.lastSequencedAt).toBeNull();
      await expect(log.append(batchOf(claim, 0, []))).resolves.toMatchObject({
        kind: 'fenced',
        claimant: 'node-2',
      });
    });

    test('a batch with a hole is refused', async () => {
      const log = open();
      const claim = await log.claim(newStore(), 'node-1');
      const batch = batchOf(claim, 0, events(2));
      const legacy = [batch.legacy[0]!, { ...batch.legacy[1]!, sequence: seq(3) }];
      await expect(log.append({ ...batch, legacy })).rejects.toMatchObject({ kind: 'corrupt' });
    });

    test('the last sequence is 2^53 - 1', async () => {
      const log = open();
      const claim = await log.claim(newStore(), 'node-1');
      const batch = batchOf(claim, Number.MAX_SAFE_INTEGER, events(1));
      await expect(log.append(batch)).rejects.toMatchObject({ kind: 'corrupt' });
    });

    test('batches of many stores are appended at once, and none disturbs another', async () => {
      const log = open();
      const stores = Array.from({ length: 24 }, newStore);
      const claims = await Promise.all(stores.map((store) => log.claim(store, 'node-1')));
      const firsts = stores.map(() => events(2));
      await Promise.all(claims.map((claim, index) => log.append(batchOf(claim, 0, firsts[index]!))));
      await Promise.all(
        stores.filter((_, index) => index % 4 === 0).map((store) => log.claim(store, 'node-2')),
      );

      const seconds = stores.map((_, index) => [
        ...events(2),
        ...(index % 4 === 1 ? [randomEvent({ eventId: firsts[index]![0]!.eventId })] : []),
      ]);
      const outcomes = await Promise.all(
        claims.map((claim, index) => log.append(batchOf(claim, index % 4 === 2 ? 1 : 2, seconds[index]!))),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        stores.map((_, index) => ['fenced', 'conflict', 'heads-moved', 'appended'][index % 4]),
      );
      for (const [index, store] of stores.entries()) {
        const expected = index % 4 === 3 ? [firsts[index]!, seconds[index]!] : [firsts[index]!];
        await checkLog(log, store, idsOf(...expected));
      }
    });
  });

  describe('finding ids', () => {
    test('stored ids are found with their sequence and request, unknown ones are left out', async () => {
      const log = open();
      const claim = await log.claim(newStore(), 'node-1');
      const requestId = randomId();
      const commandId = randomId();
      const [plain, commanded] = [randomEvent(), randomEvent({ commandId })];
      await log.append(batchOf(claim, 0, [plain, commanded], { requestId }));

      const unknown = randomId();
      const found = await log.findEvents(claim, [unknown, commanded.eventId, plain.eventId, plain.eventId]);
      expect(found).toEqual(
        new Map([
          [plain.eventId, { eventId: plain.eventId, sequence: 1, requestId }],
          [commanded.eventId, { eventId: commanded.eventId, sequence: 2, requestId }],
        ]),
      );
      await expect(log.findCommands(claim, 'legacy', [commandId, unknown])).resolves.toEqual(
        new Map([[commandId, { eventId: commanded.eventId, sequence: 2, requestId }]]),
      );
      await expect(log.findEvents(claim, [])).resolves.toEqual(new Map());
      await expect(log.findVesEvents(claim, [plain.eventId])).resolves.toEqual(new Map());
      await expect(log.findCommands(claim, 'ves', [commandId])).resolves.toEqual(new Map());
    });

    test('ids of other stores are not found', async () => {
      const log = open();
      const [mine, other] = [await log.claim(newStore(), 'a'), await log.claim(newStore(), 'a')];
      const event = randomEvent({ commandId: randomId() });
      await log.append(batchOf(other, 0, [event]));
      await expect(log.findEvents(mine, [event.eventId])).resolves.toEqual(new Map());
      await expect(log.findCommands(mine, 'legacy', [event.commandId!])).resolves.toEqual(new Map());
    });
  });

  describe('reading', () => {
    test('an unknown store is empty', async () => {
      const log = open();
      const store = newStore();
      const entity = { entityType: 'order', entityId: '1' };
      await expect(log.heads(store)).resolves.toEqual(headsOf(0));
      await expect(log.readLegacy(store, seq(1), seq(100))).resolves.toEqual([]);
      await expect(log.readLegacyEntity(store, entity, { offset: 0, limit: 10 })).resolves.toEqual({
        events: [],
        total: 0,
      });
    });

    test('a range holds what exists of it, ascending', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const all = events(10);
      await log.append(batchOf(claim, 0, all));
      const read = async (from: number, to: number) =>
        (await log.readLegacy(store, seq(from), seq(to))).map(({ sequence }) => sequence);
      await expect(read(3, 5)).resolves.toEqual([3, 4, 5]);
      await expect(read(9, 20)).resolves.toEqual([9, 10]);
      await expect(read(0, 1)).resolves.toEqual([1]);
      await expect(read(11, 20)).resolves.toEqual([]);
      await expect(read(5, 4)).resolves.toEqual([]);
    });

    test('an entity counts its own events and is read in pages', async () => {
      const log = open();
      const store = newStore();
      const claim = await log.claim(store, 'node-1');
      const entity = { entityType: 'order', entityId: 'A' };
      const others = [
        { entityType: 'order', entityId: 'B' },
        { entityType: 'orderA', entityId: '' },
        { entityType: 'refund', entityId: 'A' },
      ];
      const mixed = [entity, ...others].flatMap((key, index) => events(index === 0 ? 7 : 2, key));
      await log.append(batchOf(claim, 0, mixed.slice(0, 9)));
      await log.append(batchOf(claim, 9, mixed.slice(9)));

      const unknown = { entityType: 'order', entityId: 'never' };
      const versions = await log.entityVersions(claim, [...others, unknown, entity, entity]);
      expect(versions).toEqual([2, 2, 2, 0, 7, 7]);
      await expect(log.entityVersions(claim, [])).resolves.toEqual([]);

      const page = await log.readLegacyEntity(store, entity, { offset: 2, limit: 3 });
      expect(page.total).toBe(7);
      expect(page.events.map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
      await expect(log.readLegacyEntity(store, entity, { offset: 7, limit: 3 })).resolves.toEqual({
        events: [],
        total: 7,
      });
    });
  });
}
