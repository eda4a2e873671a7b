import { CircuitBreaker, circuitLimits, type CircuitState } from '../../domain/resilience/circuit-breaker.ts';
import { ManualClock } from '../support/manual-clock.ts';

const broken = new Error('broken');
const disliked = new Error('disliked');
const judge = (error: unknown) => (error === broken ? 'failure' : 'success');

function openBreaker(random = 0, limits = circuitLimits) {
  const clock = new ManualClock();
  const states: CircuitState[] = [];
  const breaker = new CircuitBreaker({
    name: 'replica',
    limits,
    clock,
    random: () => random,
    onChange: ({ state }) => states.push(state),
  });
  const fail = () => breaker.run(() => Promise.reject(broken), judge).catch((error: unknown) => error);
  const succeed = () => breaker.run(() => Promise.resolve('answer'), judge);
  const failOften = async (): Promise<void> => {
    for (let failures = 0; failures < 5; failures += 1) await fail();
  };
  return { clock, breaker, states, fail, succeed, failOften };
}

test('five failures in a row open it, and then nothing is asked', async () => {
  const { breaker, fail, failOften } = openBreaker();
  await failOften();
  let asked = false;
  const call = breaker.run(() => Promise.resolve((asked = true)), judge);
  await expect(call).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', kind: 'pushback' });
  expect(asked).toBe(false);
  expect(await fail()).toMatchObject({ code: 'CIRCUIT_OPEN' });
  expect(breaker.figures).toMatchObject({ state: 'open', failures: 5, rejected: 2, timesOpened: 1 });
});

test('a success starts the count anew, and so does time', async () => {
  const { breaker, clock, fail, succeed } = openBreaker();
  for (let failures = 0; failures < 4; failures += 1) await fail();
  await succeed();
  for (let failures = 0; failures < 4; failures += 1) await fail();
  clock.advance(60_000);
  await fail();
  expect(breaker.figures.state).toBe('closed');
});

test('what merely dislikes the call is no failure', async () => {
  const { breaker } = openBreaker();
  for (let calls = 0; calls < 20; calls += 1) {
    await expect(breaker.run(() => Promise.reject(disliked), judge)).rejects.toBe(disliked);
  }
  expect(breaker.figures).toMatchObject({ state: 'closed', failures: 0 });
});

test('three probes go through at once when its time is up, and close it when they succeed', async () => {
  const { breaker, clock, states, succeed, failOften } = openBreaker();
  await failOften();
  clock.advance(29_999);
  await expect(succeed()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  clock.advance(1);
  const answers: (() => void)[] = [];
  const probes = [1, 2, 3].map(() =>
    breaker.run(() => new Promise<void>((resolve) => answers.push(resolve)), judge),
  );
  await expect(succeed()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  for (const answer of answers) answer();
  await Promise.all(probes);
  expect(states).toEqual(['open', 'half_open', 'closed']);
  await expect(succeed()).resolves.toBe('answer');
});

test('a probe that fails opens it for twice as long, up to five minutes, and a tenth more by chance', async () => {
  const { breaker, clock, fail, failOften } = openBreaker(0.999_999);
  await failOften();
  for (const secs of [30, 60, 120, 240, 300, 300]) {
    clock.advance(secs * 1_000);
    expect(await fail()).toMatchObject({ code: 'CIRCUIT_OPEN' });
    clock.advance(secs * 100);
    expect(await fail()).toBe(broken);
    expect(breaker.figures.state).toBe('open');
  }
});

test('an answer to a call from before it opened changes nothing', async () => {
  const { breaker, failOften } = openBreaker();
  let answer: () => void = () => undefined;
  const early = breaker.run(() => new Promise<void>((resolve) => (answer = resolve)), judge);
  await failOften();
  answer();
  await early;
  expect(breaker.figures.state).toBe('open');
});

test('calls that say nothing are not counted, and give their place as a probe back', async () => {
  const { breaker, clock, failOften } = openBreaker();
  await failOften();
  clock.advance(30_000);
  expect(breaker.figures.state).toBe('half_open');
  for (let calls = 0; calls < 10; calls += 1) breaker.admit()('none');
  const permits = [1, 2, 3].map(() => breaker.admit());
  expect(() => breaker.admit()).toThrow('not asked');
  for (const settle of permits) settle('success');
  permits[0]!('failure'); // A second verdict is not heard.
  expect(breaker.figures).toMatchObject({ state: 'closed', timesClosed: 1, successes: 3, failures: 5 });
});

test('slow calls open it when they are enough, and a large enough part of all', () => {
  const slowCalls = { slowMs: 1_000, slowMin: 10, shareMin: 0.5 };
  const { breaker, clock } = openBreaker(0, { ...circuitLimits, slowCalls });
  const call = (durationMs: number): void => {
    const settle = breaker.admit();
    clock.advance(durationMs);
    settle('success');
  };
  for (let calls = 0; calls < 12; calls += 1) call(1);
  for (let calls = 0; calls < 11; calls += 1) call(1_000);
  expect(breaker.figures).toMatchObject({ state: 'closed', slowCalls: 11 });
  call(1_000);
  expect(breaker.figures).toMatchObject({ state: 'open', slowCalls: 12, timesOpened: 1, failures: 0 });
  expect(breaker.figures.averageMs).toBeCloseTo((12 + 12_000) / 24);
});
