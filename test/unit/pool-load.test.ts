import { PoolLoad, type PoolMoment, sampleEveryMs } from '../../services/load/pool-load.ts';
import { ManualClock } from '../support/manual-clock.ts';

function openLoad() {
  const clock = new ManualClock();
  let now: PoolMoment = { active: 0, max: 10, waiting: 0, acquired: 0 };
  const changes: boolean[] = [];
  const load = new PoolLoad({
    pool: () => now,
    clock,
    onChange: (critical) => changes.push(critical),
  }).start();
  /** Some samples, before each of which so many connections are handed out. */
  const pass = (samples: number, moment: Partial<PoolMoment>, handedOut: number): void => {
    for (let count = 0; count < samples; count += 1) {
      now = { ...now, ...moment, acquired: now.acquired + handedOut };
      clock.advance(sampleEveryMs);
    }
  };
  return { load, pass, changes };
}

test('a full pool that serves those who wait quickly is not critical', () => {
  const { load, pass } = openLoad();
  pass(20, { active: 10, waiting: 30 }, 500);
  expect(load.isCritical).toBe(false);
});

test('a full pool that serves nobody is critical with the third sample, and well when a connection comes free', () => {
  const { load, pass, changes } = openLoad();
  pass(2, { active: 10, waiting: 1 }, 0);
  expect(load.isCritical).toBe(false);
  pass(1, {}, 0);
  expect(load.isCritical).toBe(true);
  pass(10, { waiting: 0 }, 0);
  expect(load.isCritical).toBe(true);
  pass(1, { active: 9 }, 0);
  expect(load.isCritical).toBe(false);
  expect(changes).toEqual([true, false]);
});

test('a full pool before which all would wait a second is critical', () => {
  const { load, pass } = openLoad();
  pass(3, { active: 10, waiting: 20 }, 10);
  expect(load.isCritical).toBe(true);
  pass(1, { waiting: 0 }, 20);
  expect(load.isCritical).toBe(false);
});

test('a pool that is not full is never critical', () => {
  const { load, pass } = openLoad();
  pass(10, { active: 9, waiting: 5 }, 0);
  expect(load.isCritical).toBe(false);
});
