import { randomUUID } from 'node:crypto';
import { type CommittedSoFar, judgeRange, type WantedRange } from '../../domain/commitment-range.ts';
import { commitmentSigningHash } from '../../domain/commitment-signature.ts';
import { type EntityState, noStateRoot, vesStateRoot } from '../../domain/commitment.ts';
import { InvariantBroken, Refused, type SequencerError } from '../../domain/errors.ts';
import { LegacyStateRoot, type Sha256Stream } from '../../domain/legacy/state-root.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import { type Hash, type Sequence, sequenceMax, type StreamKey, type Uuid } from '../../domain/types.ts';
import {
  type CommitmentLog,
  type CommitmentTransaction,
  type DueStream,
  type NewCommitment,
  type SequenceRange,
  shortRangeMax,
  type StoredCommitment,
} from '../../storage/commitment-log.ts';
import { buildTree } from './build-tree.ts';
import { checkRoot } from './check-root.ts';
import type { CommitmentSigner } from './commitment-signer.ts';
import { EventsMissing } from './leaf-pages.ts';
import { Turns } from './turns.ts';

export interface CommitterDependencies {
  readonly log: Pick<CommitmentLog, 'commit' | 'commitShort'>;
  readonly sha256: Sha256;
  readonly sha256Stream: () => Sha256Stream;
  /** Null on a node without a signing key, whose commitments nobody vouches for. */
  readonly signer: CommitmentSigner | null;
  readonly observer: CommitmentObserver;
  /** Commitments of long ranges, or of the legacy world, made at the same time: each takes a connection for as long as it lasts. */
  readonly atOnceMax: number;
}

export interface CommitmentObserver {
  /** A commitment was made and is durable, after so many milliseconds of work. */
  committed(commitment: StoredCommitment, durationMs: number): void;
  /** A commitment was not made, since the log contradicts itself: someone should look. */
  refusedToPublish(stream: StreamKey, cause: SequencerError): void;
}

interface Done {
  readonly isNew: boolean;
  readonly commitment: StoredCommitment;
}

/** Commitments that wait for a connection; the one after is refused. */
const waitingMax = 100;

/** Makes commitments, for any stream of any store; several may work at once, on any nodes. */
export class Committer {
  private readonly deps: CommitterDependencies;
  private readonly turns: Turns;

  constructor(deps: CommitterDependencies) {
    this.deps = deps;
    this.turns = new Turns({ atOnceMax: deps.atOnceMax, waitingMax });
  }

  /**
   * Commits a range, or gives back the commitment of this very range where that is no mistake (VES).
   * @throws Refused when the range can't be committed, with the reason
   * @throws InvariantBroken when what is stored contradicts itself; nothing was published
   * @throws LogUnavailable, CommitmentOutcomeUnknown as the log does
   */
  async commit(stream: StreamKey, wanted: WantedRange): Promise<StoredCommitment> {
    const [start, end] = [sequenceOf(wanted.start), sequenceOf(wanted.end)];
    const range = start === null || end === null ? null : { start, end };
    const outcome = await this.run(stream, { range, whenBusy: 'wait' }, async (transaction) => {
      const { head, last } = transaction;
      // A chain has no commitment that begins after its last.
      const mayExist = start !== null && last !== null && start <= last.sequenceEnd;
      const sameStart = mayExist ? await transaction.findStartingAt(start) : null;
      return this.commitIfFit(stream, wanted, { head, last, sameStart }, transaction);
    });
    if (outcome === null) throw new Refused('INVALID_FIELD_VALUE', 'the stream has no events');
    return outcome;
  }

  /**
   * Commits the next events of a stream that was found due, unless another node is at it or was faster.
   * @param eventsMax of one commitment; a stream that is due for their number alone has at least as many
   * @returns null when there was nothing left to do
   */
  async commitDue(due: DueStream, eventsMax: number): Promise<StoredCommitment | null> {
    const { tenantId, storeId, world, committedTo, isAged } = due;
    const stream = { tenantId, storeId, world };
    const range = { start: committedTo + 1, end: committedTo + eventsMax } as SequenceRange;
    return this.run(stream, { range, whenBusy: 'skip' }, async (transaction) => {
      const { head, last } = transaction;
      const start = (last?.sequenceEnd ?? 0) + 1;
      const end = Math.min(head, start + eventsMax - 1);
      if (start !== committedTo + 1 || (!isAged && end - start + 1 < eventsMax) || end < start) return null;
      const wanted = { start: BigInt(start), end: BigInt(end) };
      return this.commitIfFit(stream, wanted, { head, last, sameStart: null }, transaction);
    });
  }

  /**
   * @param range that will be committed if anything is; null when none can be
   * @returns null when the stream has no events, is busy and not to be waited for, or `work` found nothing to do
   */
  private async run(
    stream: StreamKey,
    { range, whenBusy }: { readonly range: SequenceRange | null; readonly whenBusy: 'wait' | 'skip' },
    work: (transaction: CommitmentTransaction) => Promise<Done | null>,
  ): Promise<StoredCommitment | null> {
    const { log, observer } = this.deps;
    try {
      let startedMs = performance.now();
      let done: Done | null | string = 'not so';
      if (range !== null && isShort(stream, range)) done = await log.commitShort(stream, range, work);
      if (done === 'not so') {
        done = await this.turns.take(() => {
          startedMs = performance.now();
          return log.commit(stream, whenBusy, work);
        });
      }
      if (done === null || typeof done === 'string') return null;
      if (done.isNew) observer.committed(done.commitment, performance.now() - startedMs);
      return done.commitment;
    } catch (error) {
      if (error instanceof InvariantBroken || error instanceof EventsMissing) {
        observer.refusedToPublish(stream, error);
      }
      throw error;
    }
  }

  private async commitIfFit(
    stream: StreamKey,
    wanted: WantedRange,
    soFar: CommittedSoFar & { readonly sameStart: StoredCommitment | null },
    transaction: CommitmentTransaction,
  ): Promise<Done> {
    const verdict = judgeRange(stream.world, wanted, soFar);
    switch (verdict.kind) {
      case 'refused':
        throw new Refused('INVALID_FIELD_VALUE', verdict.sentence);
      case 'existing':
        return { isNew: false, commitment: verdict.commitment };
      case 'new':
        return { isNew: true, commitment: await this.freeze(stream, verdict, transaction) };
    }
  }

  private async freeze(
    stream: StreamKey,
    range: SequenceRange,
    transaction: CommitmentTransaction,
  ): Promise<StoredCommitment> {
    const { sha256 } = this.deps;
    const batchId = randomUUID() as string as Uuid;
    const root = await buildTree(stream.world, range, { transaction, batchId, sha256 });
    await checkRoot(stream, range, root, transaction);
    const unchained = {
      batchId,
      sequenceStart: range.start,
      sequenceEnd: range.end,
      leafCount: range.end - range.start + 1,
      root,
      previousStateRoot: transaction.last?.stateRoot ?? noStateRoot,
    };
    const stateRoot =
      transaction.readEntities === null
        ? vesStateRoot({ ...stream, ...unchained }, sha256)
        : await this.legacyStateRoot(stream, transaction.readEntities());
    const commitment = { ...unchained, stateRoot };
    return transaction.add({ ...commitment, signature: await this.sign(stream, commitment) });
  }

  private async legacyStateRoot(
    stream: StreamKey,
    entities: AsyncIterable<readonly EntityState[]>,
  ): Promise<Hash> {
    const stateRoot = new LegacyStateRoot(stream, this.deps.sha256Stream());
    for await (const some of entities) stateRoot.add(some);
    return stateRoot.finish();
  }

  private async sign(
    stream: StreamKey,
    commitment: Omit<NewCommitment, 'signature'>,
  ): Promise<NewCommitment['signature']> {
    const { signer, sha256 } = this.deps;
    if (signer === null) return null;
    const signed = await signer.sign(commitmentSigningHash({ ...stream, ...commitment }, sha256));
    return { sequencerId: signer.sequencerId, ...signed };
  }
}

function isShort({ world }: StreamKey, { start, end }: SequenceRange): boolean {
  return world === 'ves' && start <= end && end - start < shortRangeMax;
}

/** Null for a u64 that is no sequence. */
function sequenceOf(value: bigint): Sequence | null {
  return value >= 1n && value <= BigInt(sequenceMax) ? (Number(value) as Sequence) : null;
}
