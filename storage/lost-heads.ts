import type { Epoch, Head, StoreKey, Uuid, World } from '../domain/types.ts';
import type { KnownEvent, KnownHead } from './known-heads/known-head.ts';

/** An acknowledged event that the log does not hold: a later part of the stream is gone, or another stands in its place. */
export interface LostHead extends StoreKey, KnownEvent {
  readonly world: World;
  readonly epoch: Epoch;
  /** An operator has accepted the loss that this is part of. */
  readonly isAccepted: boolean;
}

/**
 * What nodes acknowledged and the log lost, for all nodes and for the operator. While a loss of a store is open, `EventLog.claim`
 * refuses it.
 *
 * Every method asks the primary, and throws `LogUnavailable` when it can't be reached.
 */
export interface LostHeads {
  /** Compares with the log, and returns what it contradicts. */
  compare(known: readonly KnownHead[]): Promise<LostHead[]>;

  /**
   * Writes losses down, and ends the term of whoever owns these stores; durable on return. From then on nothing is
   * appended to them on any node. Those that stand there already stay as they are.
   */
  report(lost: readonly LostHead[], nodeId: string): Promise<void>;

  /** How many stores have an open loss. */
  openStores(): Promise<number>;
}

/** Which losses are meant; null is any. */
export interface LossFilter {
  readonly tenantId: Uuid | null;
  readonly storeId: Uuid | null;
}

/** The open losses of a stream, taken together. */
export interface Loss extends StoreKey {
  readonly world: World;
  /** What the log held when the loss was found. */
  readonly durableHead: Head;
  /** The first acknowledged event that is surely lost, and the last that anyone knows of. */
  readonly from: number;
  readonly to: number;
  /** The log went on after the restore: other events stand in the place of lost ones, also before `from`. */
  readonly isForked: boolean;
  /** Who remembers what is lost. */
  readonly nodeIds: readonly string[];
}

/** All open losses that a filter means. */
export interface OpenLosses {
  readonly stores: number;
  /** Stands for exactly these losses; empty when there are none. */
  readonly token: string;
}
