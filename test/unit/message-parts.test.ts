import { randomBytes } from 'node:crypto';
import { isPart, MessageCutter, PartialMessages } from '../../services/transport/message-parts.ts';
import { ManualClock } from '../support/manual-clock.ts';

const partBytesMax = 1_024;

function open(limits: { messageBytesMax?: number; heldBytesMax?: number } = {}) {
  const clock = new ManualClock();
  const dropped: string[] = [];
  const partials = new PartialMessages({
    clock,
    messageBytesMax: 100_000,
    heldBytesMax: 200_000,
    patienceMs: 10_000,
    onDropped: (reason) => void dropped.push(reason),
    ...limits,
  });
  const add = (parts: readonly Uint8Array[]) => parts.map((part) => partials.add(Buffer.from(part)));
  return { clock, dropped, partials, add };
}

test('a message that fits is not cut, and no part looks like a message', () => {
  const cutter = new MessageCutter();
  const message = Buffer.concat([Buffer.from([0xb9]), randomBytes(partBytesMax - 1)]);
  expect(cutter.cut(message, partBytesMax)).toEqual([message]);
  expect(isPart(message)).toBe(false);
  for (const part of cutter.cut(Buffer.concat([message, message]), partBytesMax)) {
    expect(isPart(part)).toBe(true);
    expect(part.length).toBeLessThanOrEqual(partBytesMax);
  }
});

test.each([1_025, 1_984, 1_985, 50_000, 99_999])(
  'a message of %i bytes comes out as it went in, whatever the order of its parts',
  (length) => {
    const message = randomBytes(length);
    const parts = new MessageCutter().cut(message, partBytesMax);
    for (const order of [parts, parts.toReversed(), parts.toSorted(() => Math.random() - 0.5)]) {
      const { add, partials } = open();
      const results = add(order);
      expect(results.slice(0, -1).every((result) => result === null)).toBe(true);
      expect(results.at(-1)!.equals(message)).toBe(true);
      expect(partials.heldBytes).toBe(0);
    }
  },
);

test('a repeated part changes nothing', () => {
  const message = randomBytes(5_000);
  const parts = new MessageCutter().cut(message, partBytesMax);
  const { add } = open();
  const results = add([parts[0]!, parts[0]!, ...parts.slice(1, -1), parts[1]!, parts.at(-1)!]);
  expect(results.at(-1)!.equals(message)).toBe(true);
});

test('two messages whose parts mix are put together each by itself', () => {
  const cutter = new MessageCutter();
  const [one, two] = [randomBytes(3_000), randomBytes(3_000)];
  const [ones, twos] = [cutter.cut(one, partBytesMax), cutter.cut(two, partBytesMax)];
  const { add } = open();
  const finished = add(ones.flatMap((part, index) => [part, twos[index]!])).filter(
    (result) => result !== null,
  );
  expect(finished.map((message) => [one, two].findIndex((sent) => sent.equals(message)))).toEqual([0, 1]);
});

test('a message with a lost part is forgotten in time, and its memory with it', () => {
  const { add, clock, dropped, partials } = open();
  add(new MessageCutter().cut(randomBytes(5_000), partBytesMax).slice(1));
  expect(partials.heldBytes).toBe(5_000);
  clock.advance(10_001);
  expect(partials.heldBytes).toBe(0);
  expect(dropped).toEqual(['of a message 5 of 6 parts came within 10000 ms']);
});

test('unfinished messages take no more than they may', () => {
  const { add, dropped, partials } = open({ heldBytesMax: 12_000 });
  const cutter = new MessageCutter();
  for (let count = 0; count < 10; count++) add(cutter.cut(randomBytes(5_000), partBytesMax).slice(0, 2));
  expect(partials.heldBytes).toBe(10_000);
  expect(dropped[0]).toBe('unfinished messages already take 10000 bytes of the 12000 that they may');
  partials.clear();
  expect(partials.heldBytes).toBe(0);
});

test('a message longer than may come is refused before any memory is taken for it', () => {
  const { add, dropped, partials } = open({ messageBytesMax: 4_000 });
  expect(
    add(new MessageCutter().cut(randomBytes(5_000), partBytesMax)).every((result) => result === null),
  ).toBe(true);
  expect(partials.heldBytes).toBe(0);
  expect(dropped[0]).toBe('a message of 5000 bytes is longer than the 4000 that may come');
});

test('parts that make no sense are dropped', () => {
  const part = Buffer.from(new MessageCutter().cut(randomBytes(5_000), partBytesMax)[0]!);
  const changed = (change: (copy: Buffer) => unknown) => {
    const copy = Buffer.from(part);
    change(copy);
    return copy;
  };
  const { add, dropped, partials } = open();
  add([
    part.subarray(0, 32),
    Buffer.from([0]),
    part.subarray(0, 100),
    changed((copy) => (copy[1] = 2)),
    changed((copy) => copy.writeUInt32BE(6, 20)),
    changed((copy) => copy.writeUInt32BE(0, 24)),
    changed((copy) => copy.writeUInt32BE(1, 24)),
    changed((copy) => copy.writeUInt32BE(0xffffffff, 28)),
  ]);
  expect(dropped).toHaveLength(8);
  add([
    part,
    changed((copy) => {
      // The same length of a part, another whole.
      copy.writeUInt32BE(5_001, 28);
    }),
  ]);
  expect(dropped).toHaveLength(9);
  expect(partials.heldBytes).toBe(5_000);
});
