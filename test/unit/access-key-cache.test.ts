import { bootstrapAdmin } from '../../domain/access.ts';
import type { ApiKeyHash } from '../../domain/types.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { KeyCache } from '../../services/access/key-cache.ts';
import type { ApiKeyRecord, ApiKeys } from '../../storage/api-keys.ts';
import { MemoryApiKeys } from '../../storage/memory/memory-api-keys.ts';
import { ManualClock } from '../support/manual-clock.ts';

const hash = hashApiKey('ss_key');

/** The keys, with a count of look-ups and a gate that holds their answers back. */
class WatchedKeys implements Pick<ApiKeys, 'findByHash' | 'revision'> {
  readonly keys = new MemoryApiKeys();
  lookups = 0;
  private gate: Promise<void> = Promise.resolve();

  async findByHash(asked: ApiKeyHash): Promise<ApiKeyRecord | null> {
    this.lookups += 1;
    const record = await this.keys.findByHash(asked);
    await this.gate;
    return record;
  }

  revision(): Promise<number> {
    return this.keys.revision();
  }

  /** From now on look-ups read the database at once and answer when told to. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return resolve;
  }
}

async function openCache(options: { entriesMax?: number } = {}) {
  const clock = new ManualClock();
  clock.advance(1);
  const watched = new WatchedKeys();
  await watched.keys.insertKey(hash, bootstrapAdmin);
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const cache = new KeyCache({ keys: watched, clock, log, entriesMax: 10, ttlMs: 60_000, ...options });
  return { clock, watched, keys: watched.keys, cache };
}

function ignore(): void {
  // These tests look at answers, not at the log.
}

/** Lets everything that waits for an answer of the fake go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function advance(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    await settle();
  }
}

describe('a polled cache', () => {
  test('looks a key up once, and again when its time is over', async () => {
    const { cache, clock, watched } = await openCache();
    const polling = cache.startPolling();
    await settle();
    for (let request = 0; request < 5; request += 1) {
      expect(await cache.find(hash)).toEqual(bootstrapAdmin);
    }
    expect(watched.lookups).toBe(1);
    await advance(clock, 61_000);
    expect(await cache.find(hash)).toEqual(bootstrapAdmin);
    expect(watched.lookups).toBe(2);
    polling.stop();
  });

  test('sees a revocation within a second', async () => {
    const { cache, clock, keys } = await openCache();
    const polling = cache.startPolling();
    await settle();
    await cache.find(hash);
    await keys.revoke(hash);
    await advance(clock, 1_000);
    expect(await cache.find(hash)).toBeNull();
    polling.stop();
  });

  test('sees a new key within a second, although it was asked for before', async () => {
    const { cache, clock, keys, watched } = await openCache();
    const polling = cache.startPolling();
    await settle();
    const fresh = hashApiKey('ss_fresh');
    expect(await cache.find(fresh)).toBeNull();
    expect(await cache.find(fresh)).toBeNull();
    expect(watched.lookups).toBe(1);
    await keys.insertKey(fresh, bootstrapAdmin);
    await advance(clock, 1_000);
    expect(await cache.find(fresh)).toEqual(bootstrapAdmin);
    polling.stop();
  });

  test('does not keep what a look-up read before the revocation', async () => {
    const { cache, clock, keys, watched } = await openCache();
    const polling = cache.startPolling();
    await settle();
    const answer = watched.hold();
    const early = cache.find(hash); // Reads the key, and its answer is on the way …
    await settle();
    await keys.revoke(hash);
    await advance(clock, 600); // … while a poll sees the revocation.
    answer();
    expect(await early).toEqual(bootstrapAdmin);
    expect(await cache.find(hash)).toBeNull();
    polling.stop();
  });

  test('lets no request join a look-up that began before a change', async () => {
    const { cache, clock, keys, watched } = await openCache();
    const polling = cache.startPolling();
    await settle();
    const answer = watched.hold();
    const early = cache.find(hash);
    await settle();
    await keys.revoke(hash);
    await advance(clock, 600);
    const late = cache.find(hash);
    answer();
    expect([await early, await late]).toEqual([bootstrapAdmin, null]);
    polling.stop();
  });

  test('keeps a bounded number of keys', async () => {
    const { cache, watched } = await openCache({ entriesMax: 2 });
    const polling = cache.startPolling();
    await settle();
    await cache.find(hash);
    // Guesses push out other guesses, never a key that is known.
    for (let guess = 0; guess < 10; guess += 1) await cache.find(hashApiKey(`ss_guess_${guess}`));
    await cache.find(hash);
    expect(watched.lookups).toBe(11);
    await cache.find(hashApiKey('ss_guess_0'));
    expect(watched.lookups).toBe(12);
    polling.stop();
  });
});

describe('a cache whose polls fail', () => {
  test('is trusted for a second, then asks the database for every request', async () => {
    const { cache, clock, keys } = await openCache();
    const polling = cache.startPolling();
    await settle();
    await cache.find(hash);
    keys.reachable = false;
    await advance(clock, 400);
    expect(await cache.find(hash)).toEqual(bootstrapAdmin);
    await advance(clock, 700);
    await expect(cache.find(hash)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    keys.reachable = true;
    expect(await cache.find(hash)).toEqual(bootstrapAdmin);
    polling.stop();
  });

  test('does not trust a poll by the time of its answer', async () => {
    const { cache, clock, keys, watched } = await openCache();
    const answer = Promise.withResolvers<number>();
    watched.revision = () => answer.promise;
    const polling = cache.startPolling();
    await settle();
    clock.advance(900);
    answer.resolve(await keys.revision());
    await settle();
    await cache.find(hash);
    clock.advance(50);
    await cache.find(hash);
    expect(watched.lookups).toBe(1);
    watched.revision = () => new Promise(() => undefined);
    clock.advance(51);
    await cache.find(hash);
    expect(watched.lookups).toBe(2);
    polling.stop();
  });

  test('gives a poll up that never answers, and tries again', async () => {
    const { cache, clock, watched } = await openCache();
    const answers = watched.revision.bind(watched);
    watched.revision = () => new Promise(() => undefined);
    const polling = cache.startPolling();
    await advance(clock, 1_500);
    watched.revision = answers;
    await advance(clock, 1_500);
    await cache.find(hash);
    await cache.find(hash);
    expect(watched.lookups).toBe(1);
    polling.stop();
  });
});

describe('look-ups', () => {
  test('of the same key at the same time are one', async () => {
    const { cache, watched } = await openCache();
    const answer = watched.hold();
    const finds = Array.from({ length: 50 }, () => cache.find(hash));
    answer();
    expect(new Set(await Promise.all(finds)).size).toBe(1);
    expect(watched.lookups).toBe(1);
  });

  test('before the first poll are not answered from memory', async () => {
    const { cache, watched } = await openCache();
    await cache.find(hash);
    await cache.find(hash);
    expect(watched.lookups).toBe(2);
  });

  test('that fail are not remembered', async () => {
    const { cache, keys } = await openCache();
    keys.reachable = false;
    await expect(cache.find(hash)).rejects.toMatchObject({ kind: 'pushback' });
    keys.reachable = true;
    expect(await cache.find(hash)).toEqual(bootstrapAdmin);
  });

  test('are given up when no answer comes', async () => {
    const { cache, clock, watched } = await openCache();
    watched.hold();
    const find = cache.find(hash);
    clock.advance(5_000);
    await expect(find).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  });

  test('are bounded in number, and the bound is free again afterwards', async () => {
    const { cache, watched } = await openCache();
    const answer = watched.hold();
    const guesses = Array.from({ length: 64 }, (_, guess) => cache.find(hashApiKey(`ss_guess_${guess}`)));
    await expect(cache.find(hash)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    answer();
    await Promise.all(guesses);
    expect(await cache.find(hash)).toEqual(bootstrapAdmin);
  });
});
