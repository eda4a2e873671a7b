import { TenantShare } from '../../services/sequencer/tenant-share.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A share of 100 bytes, and requests that are at work until they are told to end. */
function openShare() {
  const clock = new ManualClock();
  const share = new TenantShare({ bytesMax: 100, activeForMs: 1_000, clock });
  const atWork = new Map<string, () => void>();
  const send = (name: string, bytes: number): Promise<void> =>
    share.run(name.slice(0, 1), bytes, () => new Promise((resolve) => atWork.set(name, resolve)));
  const end = async (name: string): Promise<void> => {
    atWork.get(name)!();
    atWork.delete(name);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, send, end, atWork: () => [...atWork.keys()] };
}

test('a tenant alone has no bound', () => {
  const { send, atWork } = openShare();
  for (const name of ['a1', 'a2', 'a3']) void send(name, 90);
  expect(atWork()).toEqual(['a1', 'a2', 'a3']);
});

test('beside others a tenant has so many bytes at work, in the order of its requests', async () => {
  const { send, end, atWork } = openShare();
  void send('b1', 1);
  await end('b1');
  for (const name of ['a1', 'a2', 'a3', 'a4']) void send(name, name === 'a3' ? 100 : 50);
  expect(atWork()).toEqual(['a1', 'a2']);
  await end('a2');
  // The fourth would fit and does not overtake the third.
  expect(atWork()).toEqual(['a1']);
  await end('a1');
  expect(atWork()).toEqual(['a3']);
  await end('a3');
  expect(atWork()).toEqual(['a4']);
});

test('a request larger than the share goes alone', async () => {
  const { send, end, atWork } = openShare();
  void send('b1', 1);
  void send('a1', 10);
  void send('a2', 500);
  expect(atWork()).toEqual(['b1', 'a1']);
  await end('a1');
  expect(atWork()).toEqual(['b1', 'a2']);
});

test('the others keep their own share', () => {
  const { send, atWork } = openShare();
  for (const name of ['a1', 'b1', 'a2', 'b2', 'c1']) void send(name, 60);
  expect(atWork()).toEqual(['a1', 'b1', 'c1']);
});

test('while another has something at work, a tenant gets no further ahead of it than by a share', async () => {
  const { send, end, atWork } = openShare();
  void send('b1', 10);
  for (const name of ['a1', 'a2', 'a3', 'a4']) void send(name, 55);
  expect(atWork()).toEqual(['b1', 'a1']);
  await end('a1');
  await end('a2');
  // It has had 110 bytes since the other had its 10.
  expect(atWork()).toEqual(['b1']);
  void send('b2', 10);
  await end('b2');
  expect(atWork()).toEqual(['b1', 'a3']);
  await end('a3');
  expect(atWork()).toEqual(['b1']);
  await end('b1');
  expect(atWork()).toEqual(['a4']);
});

test('two that send without end get the same', async () => {
  const { send, end, atWork } = openShare();
  const served = { a: 0, b: 0 };
  for (let number = 0; number < 100; number += 1) {
    void send(`a${number}`, 30);
    void send(`b${number}`, 90);
  }
  for (let turn = 0; turn < 100; turn += 1) {
    const name = atWork()[0]!;
    served[name.slice(0, 1) as 'a' | 'b'] += name.startsWith('a') ? 30 : 90;
    await end(name);
  }
  expect(Math.abs(served.a - served.b)).toBeLessThanOrEqual(300);
});

test('once nobody else has appended for a while, the bound is gone, and what waited begins', async () => {
  const { clock, send, end, atWork } = openShare();
  void send('b1', 1);
  for (const name of ['a1', 'a2', 'a3', 'a4']) void send(name, 80);
  expect(atWork()).toEqual(['b1', 'a1']);
  clock.advance(1_000);
  await end('a1');
  expect(atWork()).toEqual(['b1', 'a2', 'a3', 'a4']);
});

test('a request that fails gives its share back and fails alone', async () => {
  const share = new TenantShare({ bytesMax: 100, activeForMs: 1_000, clock: new ManualClock() });
  await share.run('b', 1, () => Promise.resolve());
  const failed = share.run('a', 100, () => Promise.reject(new Error('refused')));
  const next = share.run('a', 100, () => Promise.resolve('done'));
  await expect(failed).rejects.toThrow('refused');
  await expect(next).resolves.toBe('done');
});
