import type { AgentKey, AgentKeyRef } from '../../domain/ves/agent-key.ts';
import { AgentKeyCache } from '../../services/access/agent-key-cache.ts';
import type { AgentKeys } from '../../storage/agent-keys.ts';
import { MemoryAgentKeys } from '../../storage/memory/memory-agent-keys.ts';
import { uuid } from '../support/events.ts';
import { ManualClock } from '../support/manual-clock.ts';

const ref: AgentKeyRef = { tenantId: uuid(1), agentId: uuid(2), keyId: 3 };
const key = { ...ref, publicKey: new Uint8Array(32), algorithm: 1, validFrom: null, validTo: null } as const;

/** The keys, with a count of look-ups and a gate that holds back what they read. */
class WatchedKeys implements Pick<AgentKeys, 'find' | 'revision'> {
  readonly keys: MemoryAgentKeys;
  lookups = 0;
  gate: Promise<void> = Promise.resolve();

  constructor(clock: ManualClock) {
    this.keys = new MemoryAgentKeys(() => clock.nowMicros());
  }

  async find(asked: AgentKeyRef): Promise<AgentKey | null> {
    this.lookups += 1;
    const { gate } = this;
    const found = await this.keys.find(asked);
    await gate;
    return found;
  }

  revision(): Promise<number> {
    return this.keys.revision();
  }
}

function openCache() {
  const clock = new ManualClock();
  clock.advance(1);
  const watched = new WatchedKeys(clock);
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const cache = new AgentKeyCache({ keys: watched, clock, log, entriesMax: 10, ttlMs: 60_000 });
  return { clock, watched, keys: watched.keys, cache };
}

function ignore(): void {
  // These tests look at answers, not at the log.
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a known key is looked up once', async () => {
  const { cache, keys, watched } = openCache();
  const polling = cache.startPolling();
  await settle();
  await keys.register(key);
  for (let use = 0; use < 5; use += 1) expect(await cache.find(ref)).toMatchObject(key);
  expect(watched.lookups).toBe(1);
  polling.stop();
});

test('a revocation is seen within a second', async () => {
  const { cache, clock, keys } = openCache();
  await keys.register(key);
  const polling = cache.startPolling();
  await settle();
  expect(await cache.find(ref)).toMatchObject({ revokedAt: null });
  await keys.revoke(ref);
  for (let passed = 0; passed < 1_000; passed += 100) {
    clock.advance(100);
    await settle();
  }
  expect((await cache.find(ref))?.revokedAt).not.toBeNull();
  polling.stop();
});

test('that a key is unknown is not remembered', async () => {
  const { cache, keys } = openCache();
  const polling = cache.startPolling();
  await settle();
  expect(await cache.find(ref)).toBeNull();
  await keys.register(key);
  expect(await cache.find(ref)).toMatchObject(key);
  polling.stop();
});

test('who asks after a registration is not told what was read before it, and shares one more look', async () => {
  const { cache, keys, watched } = openCache();
  const polling = cache.startPolling();
  await settle();
  const { promise, resolve } = Promise.withResolvers<void>();
  watched.gate = promise;
  const early = cache.find(ref); // Reads that there is none, and its answer is on the way …
  await settle();
  watched.gate = Promise.resolve();
  await keys.register(key); // … while the key is made.
  const late = [cache.find(ref), cache.find(ref), cache.find(ref)];
  resolve();
  expect(await early).toBeNull();
  for (const found of await Promise.all(late)) expect(found).toMatchObject(key);
  expect(watched.lookups).toBe(2);
  polling.stop();
});
