import { RateLimiter, type RateVerdict } from '../../services/limits/rate-limiter.ts';
import { requestLimits } from '../../services/limits/request-limits.ts';
import { memoryPoints } from '../../storage/memory/memory-points.ts';
import type { PointSource } from '../../storage/point-source.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { uuid } from '../support/events.ts';

/** Counts as all nodes of a cluster would share them, and how often they were asked. */
class SharedCounts implements PointSource {
  readonly isShared = true;
  asked = 0;
  private readonly counts = memoryPoints();

  consume(key: string, points: number, windowMs: number) {
    this.asked += 1;
    return this.counts.consume(key, points, windowMs);
  }

  forget(): void {
    // Other nodes go on counting.
  }
}

const windowMs = 60_000;

function openLimiter(source: PointSource, entriesMax = 100) {
  const clock = new ManualClock();
  return { clock, limiter: new RateLimiter({ source, windowMs, entriesMax, clock }) };
}

async function takeMany(limiter: RateLimiter, key: string, limit: number, times: number) {
  const verdicts: RateVerdict[] = [];
  for (let time = 0; time < times; time += 1) verdicts.push(await limiter.take(key, limit));
  return verdicts;
}

const allowed = (verdicts: readonly RateVerdict[]) => verdicts.filter(({ isAllowed }) => isAllowed).length;

describe('a node on its own', () => {
  test('allows exactly the limit, and counts down to it', async () => {
    const { limiter } = openLimiter(memoryPoints());
    const verdicts = await takeMany(limiter, 'a', 3, 5);
    expect(verdicts.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
    expect(verdicts.every(({ limit, resetSecs }) => limit === 3 && resetSecs <= 60 && resetSecs >= 59)).toBe(
      true,
    );
  });

  test('answers at once when it has counted a key before', async () => {
    const { limiter } = openLimiter(memoryPoints());
    await limiter.take('a', 3);
    expect(limiter.take('a', 3)).not.toBeInstanceOf(Promise);
  });

  test('counts each key by itself', async () => {
    const { limiter } = openLimiter(memoryPoints());
    await takeMany(limiter, 'a', 2, 3);
    expect((await limiter.take('b', 2)).isAllowed).toBe(true);
  });

  test('takes a limit of 0 for 1', async () => {
    const { limiter } = openLimiter(memoryPoints());
    expect(allowed(await takeMany(limiter, 'a', 0, 3))).toBe(1);
  });

  test('allows exactly the limit when all requests come at once', async () => {
    const { limiter } = openLimiter(memoryPoints());
    expect(allowed(await Promise.all(Array.from({ length: 50 }, async () => limiter.take('a', 20))))).toBe(
      20,
    );
  });

  test('tells how long is left as time goes by', async () => {
    const { clock, limiter } = openLimiter(memoryPoints());
    await limiter.take('a', 1);
    clock.advance(20_000);
    expect(await limiter.take('a', 1)).toMatchObject({ isAllowed: false, resetSecs: 40 });
  });

  test('starts anew when the window is over', async () => {
    const limiter = new RateLimiter({
      source: memoryPoints(),
      windowMs: 50,
      entriesMax: 10,
      clock: { monotonicMs: () => performance.now() },
    });
    expect(allowed(await takeMany(limiter, 'a', 2, 4))).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(allowed(await takeMany(limiter, 'a', 2, 4))).toBe(2);
  });

  test('holds no more keys than it may, and forgets the one unused for longest', async () => {
    const { limiter } = openLimiter(memoryPoints(), 2);
    await limiter.take('a', 1);
    await limiter.take('b', 1);
    expect((await limiter.take('a', 1)).isAllowed).toBe(false);
    await limiter.take('c', 1);
    expect((await limiter.take('a', 1)).isAllowed).toBe(false);
    expect((await limiter.take('b', 1)).isAllowed).toBe(true);
  });
});

describe('nodes that share their counts', () => {
  test.each([
    [1, 3],
    [10, 3],
    [100, 3],
    [1_000, 3],
    [1_000, 10],
  ])('a limit of %i holds on %i nodes, whichever of them is asked', async (limit, nodeCount) => {
    for (const weights of [[1], [100, 10, 1], [1, 0, 0]]) {
      const shared = new SharedCounts();
      const nodes = Array.from({ length: nodeCount }, () => openLimiter(shared).limiter);
      const turns = nodes.flatMap((node, index) =>
        Array.from({ length: weights[index % weights.length] ?? 0 }, () => node),
      );
      let count = 0;
      for (let turn = 0; turn < limit * 2; turn += 1) {
        if ((await turns[turn % turns.length]!.take('a', limit)).isAllowed) count += 1;
      }
      expect(count).toBeLessThanOrEqual(limit);
      expect(count).toBeGreaterThanOrEqual(limit * 0.9);
    }
  });

  test('a node that waits for points takes what all its requests need in one go', async () => {
    const shared = new SharedCounts();
    const { limiter } = openLimiter(shared);
    const verdicts = await Promise.all(Array.from({ length: 80 }, async () => limiter.take('a', 100)));
    expect(allowed(verdicts)).toBe(80);
    expect(shared.asked).toBe(1);
  });

  test('asking gets rare as a limit gets large', async () => {
    const shared = new SharedCounts();
    const { limiter } = openLimiter(shared);
    expect(allowed(await takeMany(limiter, 'a', 100_000, 90_000))).toBe(90_000);
    expect(shared.asked).toBeLessThan(200);
  });

  test('nobody asks on behalf of a caller who is over the limit', async () => {
    const shared = new SharedCounts();
    const { limiter } = openLimiter(shared);
    await takeMany(limiter, 'a', 5, 6);
    const { asked } = shared;
    expect(allowed(await takeMany(limiter, 'a', 5, 100))).toBe(0);
    expect(shared.asked).toBe(asked);
  });
});

describe('the limits of a caller', () => {
  const tenantId = uuid(1) as never;
  const open = (tenantRequestsMax: number | null) =>
    requestLimits({
      perTenant: openLimiter(memoryPoints()).limiter,
      perCredential: openLimiter(memoryPoints()).limiter,
      tenantRequestsMax,
    });
  const caller = (requestsPerMinuteMax: number | null, credentialId?: string) => ({
    principal: { tenantId, requestsPerMinuteMax },
    ...(credentialId !== undefined && { credentialId }),
  });

  test('are none unless one is set', () => {
    expect(open(null)(caller(null, 'k'))).toBeNull();
    expect(open(null)(caller(7))).toBeNull();
  });

  test('are those of the credential and those of the tenant, and the one that leaves less is told', async () => {
    const limits = open(3);
    expect(await limits(caller(2, 'k1'))).toMatchObject({ isAllowed: true, limit: 2, remaining: 1 });
    expect(await limits(caller(2, 'k1'))).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await limits(caller(2, 'k1'))).toMatchObject({ isAllowed: false, limit: 2 });
    // The tenant has been counted three times by now, and its other credentials share that.
    expect(await limits(caller(2, 'k2'))).toMatchObject({ isAllowed: false, limit: 3 });
  });
});
