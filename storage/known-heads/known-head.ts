import type { Epoch, Hash, Sequence, StoreKey } from '../../domain/types.ts';

/** The last event of a stream that a node acknowledged. */
export interface KnownEvent {
  readonly sequence: Sequence;
  /** What the event was: the log may hold another in its place. */
  readonly leafHash: Hash;
}

/** What a node remembers of a store that it appended to; null for a world in which it acknowledged nothing. */
export interface KnownHead extends StoreKey {
  /** Of the claim under which it last did. */
  readonly epoch: Epoch;
  readonly legacy: KnownEvent | null;
  readonly ves: KnownEvent | null;
}
