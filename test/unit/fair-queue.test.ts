import { FairQueue } from '../../services/ves/fair-queue.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A queue whose items are done when the test says so. */
function openQueue({ runningMax = 2, waitingMax = 100 } = {}) {
  const clock = new ManualClock();
  const queue = new FairQueue({ runningMax, waitingMax }, clock);
  const begun: string[] = [];
  const under: { item: string; done: () => void; fail: (error: Error) => void }[] = [];
  const work = (item: string): Promise<void> => {
    begun.push(item);
    return new Promise((done, fail) => under.push({ item, done, fail }));
  };
  const run = (items: readonly string[], deadlineMs = 1_000) => queue.run(items, deadlineMs, work);
  const finish = async (): Promise<void> => {
    under.shift()?.done();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, run, begun, under, finish };
}

const letters = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);

test('a small job waits for one item of a large one at most', async () => {
  const { run, begun, finish } = openQueue({ runningMax: 1 });
  void run(letters('a', 50));
  void run(letters('b', 50));
  const small = run(['c1']);
  for (let finished = 0; finished < 3; finished += 1) await finish();
  await small;
  expect(begun.slice(0, 3)).toEqual(['a1', 'c1', 'a2']);
});

test('jobs of the same size are done one after the other', async () => {
  const { run, begun, under, finish } = openQueue({ runningMax: 1 });
  const jobs = [run(letters('a', 3)), run(letters('b', 3)), run(letters('c', 3))];
  while (under.length > 0) await finish();
  await Promise.all(jobs);
  expect(begun.join(' ')).toBe('a1 a2 a3 b1 b2 b3 c1 c2 c3');
});

test('the oldest job goes on while small ones keep coming', async () => {
  const { run, begun, finish } = openQueue({ runningMax: 1 });
  void run(letters('a', 6));
  for (let number = 1; number <= 6; number += 1) {
    void run([`small${number}`]);
    await finish();
  }
  expect(begun.filter((item) => item.startsWith('a')).length).toBeGreaterThanOrEqual(4);
});

test('no more items are under way than allowed, and every one is worked on once', async () => {
  const { run, begun, under, finish } = openQueue({ runningMax: 3 });
  const jobs = [run(letters('a', 4)), run(letters('b', 3)), run([])];
  while (under.length > 0) {
    expect(under.length).toBeLessThanOrEqual(3);
    await finish();
  }
  await Promise.all(jobs);
  expect(begun.toSorted()).toEqual([...letters('a', 4), ...letters('b', 3)]);
});

test('a job that fails is dropped, and the others go on', async () => {
  const { run, begun, under, finish } = openQueue({ runningMax: 1 });
  const failing = run(letters('a', 9));
  const other = run(letters('b', 2));
  under.shift()!.fail(new Error('no'));
  await expect(failing).rejects.toThrow('no');
  await finish();
  await finish();
  await other;
  expect(begun).toEqual(['a1', 'b1', 'b2']);
});

test('what has not begun by its time is dropped', async () => {
  const { clock, run, begun, finish } = openQueue({ runningMax: 1 });
  const late = run(letters('a', 3), 100);
  const other = run(['b1'], 1_000);
  const lateFails = expect(late).rejects.toMatchObject({ kind: 'pushback', code: 'DEADLINE_EXCEEDED' });
  clock.advance(100);
  await finish();
  await finish();
  await Promise.all([lateFails, other]);
  expect(begun).toEqual(['a1', 'b1']);
});

test('a job is refused while too many items wait, and taken when they are done', async () => {
  const { run, under, finish } = openQueue({ runningMax: 1, waitingMax: 3 });
  const large = run(letters('a', 4));
  await expect(run(['b1'])).rejects.toMatchObject({ kind: 'pushback', code: 'SIGNATURE_CHECKS_FULL' });
  await finish();
  const next = run(['b1']);
  while (under.length > 0) await finish();
  await Promise.all([large, next]);
});
