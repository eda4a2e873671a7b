import { callOwner } from '../../actors/owner-call.ts';
import type { FailureKind } from '../../actors/owner-call.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Failure extends Error {
  readonly kind: FailureKind;
  readonly claimant: string | null;
  constructor(kind: FailureKind, claimant: string | null = null) {
    super(kind);
    this.kind = kind;
    this.claimant = claimant;
  }
}

/** Runs the call while time passes, and reports how it ended and how often it was tried. */
async function call(
  script: (attempt: number, claimant: string | null) => string | Failure,
  deadlineMs = 10_000,
) {
  const clock = new ManualClock();
  let attempts = 0;
  const outcome = callOwner<string>(
    {
      clock,
      random: () => 0.5,
      deadlineMs,
      classify: (error) => (error as Failure).kind,
      claimantOf: (error) => (error as Failure).claimant,
    },
    (_timeLeftMs, claimant) => {
      const result = script(++attempts, claimant);
      return typeof result === 'string' ? Promise.resolve(result) : Promise.reject(result);
    },
  ).then(
    (value) => value,
    (error: unknown) => (error as Failure).kind,
  );
  let settled = false;
  void outcome.then(() => (settled = true));
  for (let turn = 0; turn < 10_000 && !settled; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!settled) clock.advance(10);
  }
  return { outcome: await outcome, attempts, afterMs: clock.monotonicMs() };
}

test('a fenced or unreachable owner is tried again until somebody answers', async () => {
  const kinds = ['fenced', 'unreachable', 'fenced'] as const;
  expect(await call((attempt) => (attempt <= 3 ? new Failure(kinds[attempt - 1]!) : 'done'))).toMatchObject({
    outcome: 'done',
    attempts: 4,
  });
});

test.each(['pushback', 'fenced', 'unreachable'] as const)(
  'a %s failure does not hide that an attempt before it may have taken effect',
  async (kind) => {
    const script = (attempt: number) =>
      new Failure(attempt === 2 ? 'lost' : kind === 'pushback' && attempt === 1 ? 'fenced' : kind);
    expect((await call(script, 1_000)).outcome).toBe('lost');
  },
);

test('an owner that went away is followed by the next one', async () => {
  expect(await call((attempt) => (attempt === 1 ? new Failure('lost') : 'done'))).toMatchObject({
    outcome: 'done',
    attempts: 2,
  });
});

test.each(['rejected', 'unknown', 'corrupt'] as const)(
  'a %s answer is final also after an attempt that may have taken effect',
  async (kind) => {
    const script = (attempt: number) => new Failure(attempt === 1 ? 'lost' : kind);
    expect(await call(script)).toMatchObject({ outcome: kind, attempts: 2 });
  },
);

test.each(['rejected', 'pushback', 'unknown', 'corrupt'] as const)('a %s answer is final', async (kind) => {
  expect(await call(() => new Failure(kind))).toMatchObject({ outcome: kind, attempts: 1 });
});

test('retries end with the time of the request, and the last failure is the answer', async () => {
  const { outcome, attempts } = await call(() => new Failure('fenced'), 1_000);
  expect(outcome).toBe('fenced');
  expect(attempts).toBeGreaterThan(3);
  expect(attempts).toBeLessThan(12);
});

test('a fence that names the owner sends the next attempt there at once', async () => {
  const asked: (string | null)[] = [];
  const { outcome, afterMs } = await call((_attempt, claimant) => {
    asked.push(claimant);
    return claimant === 'node-2' ? 'done' : new Failure('fenced', 'node-2');
  });
  expect([outcome, asked, afterMs]).toEqual(['done', [null, 'node-2'], 0]);
});

test('two nodes that each name the other are asked in turn with growing pauses, and so is the ring', async () => {
  const asked: (string | null)[] = [];
  const { attempts } = await call((_attempt, claimant) => {
    asked.push(claimant);
    return new Failure('fenced', claimant === 'node-1' ? 'node-2' : 'node-1');
  }, 2_000);
  expect(attempts).toBeLessThan(14);
  expect(new Set(asked)).toEqual(new Set([null, 'node-1', 'node-2']));
});

test('a claimant that names itself is not asked for ever: the ring decides again', async () => {
  const asked: (string | null)[] = [];
  await call((_attempt, claimant) => {
    asked.push(claimant);
    return new Failure('fenced', 'node-1');
  }, 1_000);
  expect(asked.slice(0, 4)).toEqual([null, 'node-1', null, 'node-1']);
});
