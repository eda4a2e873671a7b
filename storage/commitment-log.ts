import type { CommitmentSignature } from '../domain/commitment-signature.ts';
import type { Commitment, EntityState } from '../domain/commitment.ts';
import type { Hash, Head, Micros, Sequence, StreamKey, Uuid, World } from '../domain/types.ts';

/**
 * The durable commitments of every stream, and what their proofs are made of.
 *
 * A commitment is there with all of its nodes or not at all, whatever dies in between, and never changes, except that its
 * anchor is recorded once. The commitments of a stream are made one after the other, by whichever node: each sees the one
 * before.
 *
 * Reads throw LogUnavailable when the log can't be reached.
 */
export interface CommitmentLog {
  /**
   * Runs `work` while no other commitment of the stream can be made, on one snapshot of the log, and makes durable what it
   * added; when it throws, nothing of that exists. Since snapshots grow old while others commit, `work` may be run more
   * than once and must leave no trace of an earlier run.
   * @param whenBusy what to do while another commitment of the stream is being made
   * @returns what `work` returned, `busy` only when asked to skip, `no stream` for a store without any event
   * @throws LogUnavailable when nothing was stored
   * @throws CommitmentOutcomeUnknown when it may have been stored
   */
  commit<Result>(
    stream: StreamKey,
    whenBusy: 'wait' | 'skip',
    work: (transaction: CommitmentTransaction) => Promise<Result>,
  ): Promise<Result | 'busy' | 'no stream'>;

  /**
   * The same for a short range of a VES stream, whose leaves are read beforehand: no transaction is open while `work` runs,
   * which is run once at most, and several streams share round trips and commits. What it added is made durable if the
   * chain still ends where it did.
   * @param range has at most `shortRangeMax` events
   * @returns what `work` returned, or `not so` when nothing was stored since the stream has no chain yet, the range begins
   *   before its end, or another commitment was made or is being made: `commit` knows what to do
   * @throws LogUnavailable when nothing was stored
   * @throws CommitmentOutcomeUnknown when it may have been stored
   */
  commitShort<Result>(
    stream: StreamKey,
    range: SequenceRange,
    work: (transaction: CommitmentTransaction) => Promise<Result>,
  ): Promise<Result | 'not so'>;

  /** A commitment of this world, whoever's it is; null when there is none. */
  find(world: World, batchId: Uuid): Promise<StoredCommitment | null>;

  /** The stream's commitments that are not anchored, oldest first. */
  listUnanchored(stream: StreamKey, page: CommitmentPage): Promise<StoredCommitment[]>;

  /** The stream's commitments, anchored or not, that end at a sequence or behind it, in the order of their ranges. */
  listFrom(stream: StreamKey, from: Sequence, limit: number): Promise<StoredCommitment[]>;

  /** All commitments of a world that are not anchored, of every store, oldest first. */
  listPending(world: World, page: CommitmentPage): Promise<StoredCommitment[]>;

  /** Records where a commitment stands on a chain, unless that is recorded already. */
  recordAnchor(world: World, batchId: Uuid, anchor: Omit<Anchor, 'anchoredAt'>): Promise<AnchorOutcome>;

  /**
   * The leaves of a range, and nodes above them by their position (domain/merkle/node-order.ts) in the order asked for.
   * @throws InvariantBroken when some are not there
   */
  readTree(
    commitment: Commitment,
    range: { readonly from: Sequence; readonly to: Sequence },
    positions: readonly number[],
  ): Promise<{ readonly leaves: Hash[]; readonly nodes: Hash[] }>;

  /** How far commitments are behind, over all stores. */
  readLag(): Promise<CommitmentLag>;

  /** Streams that have more to commit than the rule lets wait, at most `streamsMax`. */
  findDue(rule: DueRule, streamsMax: number): Promise<DueStream[]>;
}

/** What a commitment in the making sees and does. The log is as it was at one instant, for all that is read here. */
export interface CommitmentTransaction {
  readonly head: Head;
  /** The newest commitment of the stream. */
  readonly last: Pick<StoredCommitment, 'sequenceEnd' | 'stateRoot'> | null;
  findStartingAt(sequence: Sequence): Promise<StoredCommitment | null>;
  /** The leaves of these sequences that exist, one after the other, 32 bytes each. */
  readLeaves(from: Sequence, to: Sequence): Promise<Uint8Array>;
  /** The same, after Postgres worked each of them out again from its event's columns. */
  checkLeaves(from: Sequence, to: Sequence): Promise<CheckedLeaves>;
  /**
   * Every entity of the store with its exact version, in the order of their types and ids as UTF-8 bytes. Null for a VES
   * stream, whose state roots are not over entities.
   */
  readonly readEntities: (() => AsyncIterable<readonly EntityState[]>) | null;
  /**
   * Stores nodes above the leaves.
   * @param nodes 32 bytes each, `nodesPerChunk` of them in all chunks but the last
   */
  addNodes(batchId: Uuid, chunk: number, nodes: Uint8Array): Promise<void>;
  /** Once, at the end. @returns the commitment with its time, which is never before that of the one before */
  add(commitment: NewCommitment): Promise<StoredCommitment>;
}

/** 128 KiB of hashes. */
export const nodesPerChunk = 4_096;

/** Events of a range whose nodes are one chunk. */
export const shortRangeMax = nodesPerChunk;

/** A range of a stream's events, both ends included. */
export interface SequenceRange {
  readonly start: Sequence;
  readonly end: Sequence;
}

export interface CheckedLeaves {
  readonly leaves: Uint8Array;
  /** The first whose stored hash does not follow from its event, or null. */
  readonly firstWrong: Sequence | null;
}

export interface NewCommitment extends Omit<Commitment, keyof StreamKey | 'committedAt'> {
  readonly signature: CommitmentSignature | null;
}

export interface StoredCommitment extends Commitment {
  /** Null when the node that made it had no key to sign with. */
  readonly signature: CommitmentSignature | null;
  readonly anchor: Anchor | null;
}

/** Where a commitment was recorded on a chain. */
export interface Anchor {
  readonly txHash: Hash;
  /** An u32. */
  readonly chainId: number;
  readonly blockNumber: number | null;
  readonly anchoredAt: Micros;
}

export type AnchorOutcome =
  | { readonly kind: 'anchored' }
  /** It is recorded already; this is what is recorded. */
  | { readonly kind: 'already anchored'; readonly txHash: Hash }
  | { readonly kind: 'unknown commitment' };

export interface CommitmentPage {
  /** Goes on after this commitment, which must exist; null for the first page. */
  readonly after: Uuid | null;
  readonly limit: number;
}

/** What is appended and not committed. */
export interface CommitmentLag {
  /** Sum of the heads of all streams. */
  readonly events: number;
  readonly uncommittedEvents: number;
  /** Of the stream that has most. */
  readonly uncommittedEventsMax: number;
  /** Age of the oldest uncommitted event in seconds; 0 when everything is committed. */
  readonly oldestSecs: number;
}

/** When a stream's uncommitted events are due. */
export interface DueRule {
  /** As soon as there are this many; null when their number alone is no reason. */
  readonly events: number | null;
  /** As soon as the oldest is this old; null when age alone is no reason. */
  readonly ageSecs: number | null;
  /** Streams to leave out. */
  readonly except: readonly StreamKey[];
}

export interface DueStream extends StreamKey {
  /** Where the last commitment ended when this was found out; 0 when there was none. */
  readonly committedTo: number;
  /** Whether its oldest uncommitted event is too old, however few there are. */
  readonly isAged: boolean;
}
