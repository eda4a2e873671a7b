import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { Interruption } from '../../bin/interruption.ts';
import { listenProblem } from '../../bin/listen-problem.ts';
import { Releases } from '../../bin/releases.ts';
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
  const { send, steps, said, exitCode } = openShutdown({
    drainMs: 1_000,
    drain: () => new Promise(() => undefined),
  });
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

test('what a process holds is given back once, last first, whatever fails or hangs', async () => {
  const releases = new Releases();
  const given: string[] = [];
  const give = (name: string, end: () => Promise<void>) => {
    releases.add(`give back ${name}`, 50, () => (given.push(name), end()));
  };
  give('first', () => Promise.resolve());
  give('second', () => Promise.reject(new Error('stuck')));
  give('third', () => new Promise(() => undefined));
  await Promise.all([releases.runAll(), releases.runAll()]);
  expect(given).toEqual(['third', 'second', 'first']);
});

describe('a signal before the node is up', () => {
  test('ends a step that waits, and every check after it', async () => {
    const signals = new EventEmitter();
    const interruption = new Interruption(signals);
    const waiting = interruption.cutShort(new Promise(() => undefined));
    interruption.check();
    signals.emit('SIGTERM');
    await expect(waiting).rejects.toThrow('Stopped by a signal before the start was complete.');
    expect(() => interruption.check()).toThrow('Stopped by a signal');
  });

  test('is nobody’s once the start is over', () => {
    const signals = new EventEmitter();
    const interruption = new Interruption(signals);
    interruption.end();
    expect(signals.eventNames()).toEqual([]);
  });
});

test.each([
  ['EADDRINUSE', 'set PORT to another port, such as PORT=81'],
  ['EACCES', 'set PORT to one above 1023'],
  ['EADDRNOTAVAIL', 'set HOST to 127.0.0.1'],
  ['ENOTFOUND', 'set HOST to 127.0.0.1'],
])('%s on listening becomes a sentence with a way out', (code, wayOut) => {
  const error = Object.assign(new Error('listen'), { code });
  expect(listenProblem(error, { host: 'shop.example', port: 80 })?.message).toContain(wayOut);
});

test('other errors on listening stay what they are', () => {
  expect(listenProblem(new Error('listen'), { host: '127.0.0.1', port: 80 })).toBeNull();
});
