import type { Epoch, Hash, Sequence, StoreKey } from '../../domain/types.ts';
import { HeadTable } from '../../storage/known-heads/head-table.ts';
import { isIntact, readRecord, recordBytes } from '../../storage/known-heads/head-record.ts';
import { uuid } from '../support/events.ts';

const storeOf = (number: number): StoreKey => ({ tenantId: uuid(1), storeId: uuid(number) });
const eventAt = (sequence: number) => ({
  sequence: sequence as Sequence,
  leafHash: new Uint8Array(32).fill(sequence % 251) as Hash,
});

test('a table holds many stores, and what was said of each world last', () => {
  const table = new HeadTable(10_000);
  for (let number = 1; number <= 3_000; number++) {
    table.advance(storeOf(number), 1 as Epoch, { legacy: eventAt(number), ves: null });
  }
  table.advance(storeOf(7), 2 as Epoch, { legacy: null, ves: eventAt(Number.MAX_SAFE_INTEGER) });
  expect(table.size).toBe(3_000);
  expect(table.get(storeOf(7))).toEqual({
    ...storeOf(7),
    epoch: 2,
    legacy: eventAt(7),
    ves: eventAt(Number.MAX_SAFE_INTEGER),
  });
  expect([...table.pages(1_000)].map((page) => page.length)).toEqual([1_000, 1_000, 1_000]);
  expect(table.get(storeOf(3_000))?.legacy).toEqual(eventAt(3_000));
  expect(table.get(storeOf(3_001))).toBeNull();
});

test('a full table forgets the store that was used longest ago', () => {
  const table = new HeadTable(2);
  const [first, second, third] = [1, 2, 3].map(storeOf) as [StoreKey, StoreKey, StoreKey];
  const key = table.advance(first, 1 as Epoch, { legacy: eventAt(1), ves: null });
  table.advance(second, 1 as Epoch, { legacy: eventAt(2), ves: null });
  table.touch([key]);
  table.advance(third, 1 as Epoch, { legacy: eventAt(3), ves: null });
  expect([first, second, third].map((store) => table.get(store)?.legacy?.sequence)).toEqual([
    1,
    undefined,
    3,
  ]);
});

test('a flipped bit in a sealed record shows', () => {
  const table = new HeadTable(1);
  table.put({ ...storeOf(1), epoch: 3 as Epoch, legacy: null, ves: eventAt(9) });
  const bytes = table.encode();
  expect(bytes.length).toBe(recordBytes);
  expect(isIntact(bytes, 0)).toBe(true);
  expect(readRecord(bytes, 0)).toEqual(table.get(storeOf(1)));
  for (let bit = 0; bit < recordBytes * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(isIntact(bytes, 0)).toBe(false);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});
