import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { shutDownOnSignal } from '../../bin/shutdown.ts';

/** Longer than the time within which a repeated signal counts as the same. */
const beyondRepeatMs = 600;

function openShutdown({ delayMs = 0, drainMs = 5_000, drain = () => Promise.resolve() } = {}) {
  const signals = new EventEmitter();
  const steps: string[] = [];
  const said: string[] = [];
  const exitCode = shutDownOnSignal(
    signals,
    {
      announce: () => void steps.push('announce'),
      drain: () => (steps.push('drain'), drain()),
      close: () => (steps.push('close'), Promise.resolve()),
    },
    { delayMs, drainMs, say: (sentence) => said.push(sentence) },
  );
  return { send: (signal: NodeJS.Signals) => signals.emit(signal, signal), steps, said, exitCode };
}

test('SIGTERM announces at once, serves on for the delay, then drains and ends with 0', async () => {
  const { send, steps, exitCode } = openShutdown({ delayMs: 300 });
  const began = performance.now();
  send('SIGTERM');
  expect(steps).toEqual(['announce']);
  expect(await exitCode).toBe(0);
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  expect(steps).toEqual(['announce', 'drain', 'close']);
});

test.each(['SIGINT', 'SIGHUP'] as const)('%s skips the delay', async (signal) => {
  const { send, steps, exitCode } = openShutdown({ delayMs: 60_000 });
  send(signal);
  expect(steps).toEqual(['announce', 'drain']);
  expect(await exitCode).toBe(0);
});

test('a second signal ends the delay', async () => {
  const { send, steps, exitCode } = openShutdown({ delayMs: 60_000 });
  send('SIGTERM');
  await sleep(beyondRepeatMs);
  send('SIGTERM');
  expect(await exitCode).toBe(0);
  expect(steps).toEqual(['announce', 'drain', 'close']);
});

test('a signal that comes twice at once, from the terminal and from npm, counts once', async () => {
  const { send, exitCode } = openShutdown({ drain: () => sleep(100) });
  send('SIGINT');
  send('SIGINT');
  expect(await exitCode).toBe(0);
});

test('a second signal during the drain ends with 1 and says so', async () => {
  const { send, steps, said, exitCode } = openShutdown({ drain: () => new Promise(() => undefined) });
  send('SIGINT');
  await sleep(beyondRepeatMs);
  send('SIGINT');
  expect(await exitCode).toBe(1);
  expect(said.at(-1)).toMatch(/^A second signal: stopping at once/);
  expect(steps).toEqual(['announce', 'drain', 'close']);
});

test('a drain that takes too long ends with 1 and says so', async () => {
  const { send, steps, said, exitCode } = openShutdown({
    drainMs: 100,
    drain: () => new Promise(() => undefined),
  });
  send('SIGTERM');
  expect(await exitCode).toBe(1);
  expect(said.join('\n')).toMatch(/within SHUTDOWN_DRAIN_SECS \(0.1 s\)/);
  expect(steps).toEqual(['announce', 'drain', 'close']);
});

test('a drain that fails still closes, ends with 1 and says why', async () => {
  const { send, steps, said, exitCode } = openShutdown({
    drain: () => Promise.reject(new Error('broken pipe')),
  });
  send('SIGTERM');
  expect(await exitCode).toBe(1);
  expect(said.join('\n')).toContain('broken pipe');
  expect(steps).toEqual(['announce', 'drain', 'close']);
});
