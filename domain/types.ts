/**
 * The words of the domain as types. A sequence, an index and a count are all numbers, and mixing them up is the
 * classic bug of a log, so each is branded here and nowhere else.
 */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** UUIDs travel as lower-case hyphenated text: 36 characters, made by `parseUuid` only. */
export type Uuid = Branded<string, 'Uuid'>;
export type TenantId = Uuid;
export type StoreId = Uuid;
export type AgentId = Uuid;
export type EventId = Uuid;
export type CommandId = Uuid;
/** Given by the gateway to one client request; all attempts and all stored events of that request carry it. */
export type RequestId = Uuid;

/** The two independent orders of a store: unsigned (`legacy`) and signed by agents (`ves`). */
export type World = 'legacy' | 'ves';

/** What one actor owns: both worlds of one store. */
export interface StoreKey {
  readonly tenantId: TenantId;
  readonly storeId: StoreId;
}

/** The unit of ordering. */
export interface StreamKey extends StoreKey {
  readonly world: World;
}

/** An event's place in its stream: 1, 2, 3 … without gaps, at most 2^53 - 1. */
export type Sequence = Branded<number, 'Sequence'>;
/** The last durable sequence of a stream; 0 while it is empty. */
export type Head = Branded<number, 'Head'>;
/** The term number of an owner; each claim raises it by one. */
export type Epoch = Branded<number, 'Epoch'>;
/** How many events of either world an entity has seen; 0 before the first. */
export type EntityVersion = Branded<number, 'EntityVersion'>;
/** An event's 0-based place among the leaves of one commitment. */
export type LeafIndex = Branded<number, 'LeafIndex'>;
/** 32 bytes of SHA-256. */
export type Hash = Branded<Uint8Array, 'Hash'>;

/** Lower-case hex SHA-256 of an API key's text: the only form in which a key is stored, cached or logged. */
export type ApiKeyHash = Branded<string, 'ApiKeyHash'>;

/** Microseconds since 1970-01-01T00:00:00Z. A bigint, since year 9999 does not fit 2^53. */
export type Micros = Branded<bigint, 'Micros'>;

/** The last sequence that a JavaScript number, and therefore this sequencer, can name exactly. */
export const sequenceMax = Number.MAX_SAFE_INTEGER as Sequence;

/** Both heads of a store, as one fence row holds them. */
export interface Heads {
  readonly legacy: Head;
  readonly ves: Head;
}

/** The first sequence after a head. */
export function sequenceAfter(head: Head): Sequence {
  return (head + 1) as Sequence;
}

/** The head of a stream whose last event has this sequence. */
export function headAt(sequence: Sequence): Head {
  return sequence as number as Head;
}

/** The place of an event among the leaves of a commitment whose range begins at `sequenceStart`. */
export function leafIndexOf(sequence: Sequence, sequenceStart: Sequence): LeafIndex {
  return (sequence - sequenceStart) as LeafIndex;
}

/** One text per store, for maps and for the ring: `tenant/store`. */
export function storeKeyText(key: StoreKey): string {
  return `${key.tenantId}/${key.storeId}`;
}
