import { callOwner } from '../../actors/owner-call.ts';
import { RetryBudget, retrying, type RetryObserver } from '../../domain/resilience/retries.ts';
import { ManualClock } from '../support/manual-clock.ts';

const passing = new Error('passing');
const lasting = new Error('lasting');
const policy = { triesMax: 3, firstDelayMs: 50, delayMsMax: 500, withinMs: 1_000 };
const plenty = { share: 0.2, perSecMin: 100 };

class Observed implements RetryObserver {
  readonly ends: string[] = [];
  retries = 0;

  retried(): void {
    this.retries += 1;
  }

  ended(outcome: string, durationMs: number): void {
    this.ends.push(`${outcome} after ${durationMs} ms`);
  }
}

/** Lets time pass until the work is over. */
async function finish<Result>(clock: ManualClock, work: Promise<Result>): Promise<Result | Error> {
  let outcome: Result | Error | null = null;
  work.then(
    (result) => (outcome = result),
    (error: Error) => (outcome = error),
  );
  for (let turn = 0; outcome === null && turn < 10_000; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (outcome === null) clock.advance(5);
  }
  return outcome!;
}

function openRetries({ budget = plenty, random = 1 } = {}) {
  const clock = new ManualClock();
  const observer = new Observed();
  const isRetryable = (error: unknown): boolean => error === passing;
  const options = {
    policy,
    budget: new RetryBudget(budget, clock),
    isRetryable,
    clock,
    random: () => random,
    observer,
  };
  const run = (...script: (Error | string | number)[]) => {
    let tries = 0;
    return finish(
      clock,
      retrying(options, async () => {
        const next = script[tries++];
        if (typeof next === 'number') await clock.sleep(next);
        if (next instanceof Error || typeof next === 'number') throw next instanceof Error ? next : passing;
        return next;
      }),
    );
  };
  return { clock, observer, run };
}

test('what passes is tried again after growing pauses, and the first success ends it', async () => {
  const { observer, run, clock } = openRetries();
  expect(await run(passing, passing, 'done')).toBe('done');
  expect(observer).toMatchObject({ retries: 2, ends: ['succeeded after 150 ms'] });
  expect(clock.monotonicMs()).toBe(50 + 100);
});

test('pauses are up to half shorter by chance', async () => {
  const { run, clock } = openRetries({ random: 0 });
  await run(passing, passing, 'done');
  expect(clock.monotonicMs()).toBe(25 + 50);
});

test('what lasts is not tried again, and what succeeds at once is not observed', async () => {
  const { observer, run } = openRetries();
  expect(await run(lasting)).toBe(lasting);
  expect(await run('done')).toBe('done');
  expect(observer).toMatchObject({ retries: 0, ends: [] });
  expect(await run(passing, lasting)).toBe(lasting);
  expect(observer).toMatchObject({ retries: 1, ends: ['failed after 50 ms'] });
});

test('it is given up after the tries, and when the time is up', async () => {
  const { observer, run } = openRetries();
  expect(await run(passing, passing, passing, 'never')).toBe(passing);
  expect(await run(2_000, 'never')).toBe(passing);
  expect(observer).toMatchObject({
    retries: 2,
    ends: ['exhausted after 150 ms', 'exhausted after 2000 ms'],
  });
});

test('a budget has ten seconds of its rate saved, and a share of each call', () => {
  const clock = new ManualClock();
  const budget = new RetryBudget({ share: 0.5, perSecMin: 2 }, clock);
  const takeAll = (): number => {
    let taken = 0;
    while (budget.take()) taken += 1;
    return taken;
  };
  expect(takeAll()).toBe(20);
  for (let calls = 0; calls < 10; calls += 1) budget.called();
  expect(takeAll()).toBe(5);
  clock.advance(3_000);
  expect(takeAll()).toBe(6);
  clock.advance(1_000_000);
  expect(takeAll()).toBe(20);
});

describe('calls of owners', () => {
  type Kind = 'fenced' | 'unreachable' | 'lost';

  async function call(kinds: readonly Kind[], budget: RetryBudget, clock: ManualClock, observer: Observed) {
    let attempts = 0;
    const outcome = await finish(
      clock,
      callOwner<string>(
        {
          clock,
          random: () => 0.5,
          deadlineMs: clock.monotonicMs() + 10_000,
          classify: (error) => (error as Error).message as Kind,
          budget,
          observer,
        },
        () => {
          const kind = kinds[attempts++];
          return kind === undefined ? Promise.resolve('done') : Promise.reject(new Error(kind));
        },
      ),
    );
    return { outcome: outcome instanceof Error ? outcome.message : outcome, attempts };
  }

  test('share a budget; beyond it the failure at hand goes to the client', async () => {
    const clock = new ManualClock();
    const observer = new Observed();
    const budget = new RetryBudget({ share: 0, perSecMin: 0.1 }, clock);
    expect(await call(['fenced'], budget, clock, observer)).toEqual({ outcome: 'done', attempts: 2 });
    expect(await call(['fenced'], budget, clock, observer)).toEqual({ outcome: 'fenced', attempts: 1 });
    expect(observer.ends).toEqual(['succeeded after 20 ms', 'exhausted after 0 ms']);
  });

  test('that did not leave the node cost nothing', async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget({ share: 0, perSecMin: 0 }, clock);
    budget.take();
    const kinds = ['unreachable', 'unreachable', 'unreachable'] as const;
    expect(await call(kinds, budget, clock, new Observed())).toEqual({ outcome: 'done', attempts: 4 });
  });

  test('whose budget runs out after an attempt that may have taken effect stay unknown', async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget({ share: 0, perSecMin: 0.1 }, clock);
    const { outcome } = await call(['lost', 'fenced'], budget, clock, new Observed());
    expect(outcome).toBe('lost');
  });
});
