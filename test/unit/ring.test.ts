import { randomUUID } from 'node:crypto';
import { ownerOf } from '../../domain/ring.ts';
import type { StoreId, StoreKey, TenantId } from '../../domain/types.ts';

const storeCount = 10_000;
const stores: StoreKey[] = Array.from({ length: storeCount }, () => ({
  tenantId: randomUUID() as TenantId,
  storeId: randomUUID() as StoreId,
}));
const membersOf = (count: number) => Array.from({ length: count }, (_, index) => `node-${index + 1}`);

test('a ring without members has no owner', () => {
  expect(ownerOf([], stores[0]!)).toBeNull();
});

test('every node computes the same owner, in whatever order it lists the members', () => {
  const members = membersOf(7);
  for (const store of stores.slice(0, 500)) {
    expect(ownerOf([...members].reverse(), store)).toBe(ownerOf(members, store));
  }
});

test.each(Array.from({ length: 15 }, (_, index) => index + 2))(
  'with %i members each owns its share, and a leave moves only the stores of the one that left',
  (count) => {
    const members = membersOf(count);
    const remaining = members.slice(0, -1);
    const owned = new Map<string, number>();
    let moved = 0;
    let movedWithoutCause = 0;
    for (const store of stores) {
      const before = ownerOf(members, store)!;
      const after = ownerOf(remaining, store)!;
      owned.set(before, (owned.get(before) ?? 0) + 1);
      if (before !== after) {
        moved++;
        if (before !== members.at(-1)) movedWithoutCause++;
      }
    }
    expect(movedWithoutCause).toBe(0);
    expect(moved / storeCount).toBeLessThanOrEqual(1 / count + 0.02);
    for (const member of members) {
      expect((owned.get(member) ?? 0) / storeCount).toBeGreaterThan(0.85 / count);
      expect((owned.get(member) ?? 0) / storeCount).toBeLessThan(1.15 / count);
    }
  },
);
