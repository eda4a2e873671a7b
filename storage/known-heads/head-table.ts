import { type Epoch, storeKeyText, type StoreKey } from '../../domain/types.ts';
import { readRecord, recordBytes, sealRecord, writeEpoch, writeEvent, writeRecord } from './head-record.ts';
import type { KnownEvent, KnownHead } from './known-head.ts';

const firstCapacity = 1_024;

/**
 * Known heads in memory, by store, as records in one buffer: a hundred thousand of them as objects would be a burden to the
 * garbage collector. Bounded: the store that was used longest ago makes room.
 */
export class HeadTable {
  private readonly storesMax: number;
  /** Where each store's record is, the one used longest ago first. */
  private readonly slots = new Map<string, number>();
  private records = Buffer.alloc(firstCapacity * recordBytes);

  constructor(storesMax: number) {
    this.storesMax = storesMax;
  }

  get size(): number {
    return this.slots.size;
  }

  get(store: StoreKey): KnownHead | null {
    const slot = this.slots.get(storeKeyText(store));
    return slot === undefined ? null : readRecord(this.records, slot * recordBytes);
  }

  put(head: KnownHead): void {
    const key = storeKeyText(head);
    const slot = this.slots.get(key) ?? this.addSlot(key);
    writeRecord(head, this.records, slot * recordBytes);
  }

  /**
   * Moves a store on; an event that is null leaves its world as it is.
   * @returns the store's key
   */
  advance(
    store: StoreKey,
    epoch: Epoch,
    { legacy, ves }: { readonly legacy: KnownEvent | null; readonly ves: KnownEvent | null },
  ): string {
    const key = storeKeyText(store);
    const slot = this.slots.get(key);
    if (slot === undefined) {
      this.put({ tenantId: store.tenantId, storeId: store.storeId, epoch, legacy, ves });
      return key;
    }
    writeEpoch(epoch, this.records, slot * recordBytes);
    if (legacy !== null) writeEvent('legacy', legacy, this.records, slot * recordBytes);
    if (ves !== null) writeEvent('ves', ves, this.records, slot * recordBytes);
    return key;
  }

  /**
   * Says that these stores were used. Not for every change: entries that are deleted stay in a map's chains for a while, so
   * that moving one key again and again makes each move slower than the one before.
   */
  touch(keys: Iterable<string>): void {
    for (const key of keys) {
      const slot = this.slots.get(key);
      if (slot === undefined) continue;
      this.slots.delete(key);
      this.slots.set(key, slot);
    }
  }

  /** The sealed records of these stores, or of all, one after the other; a copy. */
  encode(keys: Iterable<string> = this.slots.keys()): Buffer {
    const slots = [...keys].flatMap((key) => this.slots.get(key) ?? []);
    const bytes = Buffer.allocUnsafe(slots.length * recordBytes);
    slots.forEach((slot, index) => {
      this.records.copy(bytes, index * recordBytes, slot * recordBytes, (slot + 1) * recordBytes);
      sealRecord(bytes, index * recordBytes);
    });
    return bytes;
  }

  /** All heads, `pageSize` at a time; what is added meanwhile may be missing. */
  *pages(pageSize: number): Iterable<KnownHead[]> {
    const keys = [...this.slots.keys()];
    for (let at = 0; at < keys.length; at += pageSize) {
      yield keys.slice(at, at + pageSize).flatMap((key) => {
        const slot = this.slots.get(key);
        return slot === undefined ? [] : readRecord(this.records, slot * recordBytes);
      });
    }
  }

  private addSlot(key: string): number {
    const slot = this.freeSlot();
    this.slots.set(key, slot);
    return slot;
  }

  private freeSlot(): number {
    const { size } = this.slots;
    const [oldest] = size >= this.storesMax ? this.slots : [];
    if (oldest !== undefined) {
      this.slots.delete(oldest[0]);
      return oldest[1];
    }
    if ((size + 1) * recordBytes > this.records.length) {
      const larger = Buffer.alloc(this.records.length * 2);
      this.records.copy(larger);
      this.records = larger;
    }
    return size;
  }
}
