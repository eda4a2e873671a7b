import { sameBytes } from '../../domain/bytes.ts';
import { LogUnavailable } from '../../domain/errors.ts';
import { storeKeyText, type Sequence, type StreamKey } from '../../domain/types.ts';
import type {
  NewCommitment,
  SequenceRange,
  CommitmentTransaction,
  StoredCommitment,
} from '../commitment-log.ts';
import type { AddedCommitment, FittingCommitment } from './queries/add-commitments.query.ts';
import type { ChainView, WantedLeaves } from './queries/read-chains.query.ts';

type Work<Result> = (transaction: CommitmentTransaction) => Promise<Result>;

/**
 * A commitment that is made in a group with others (commitment-groups.ts).
 *
 * Modes and the moves between them: `waiting` for its group; `working` on what the group read, by `begin`; `adding`, once
 * its work has added a commitment; `settled`, by whichever comes first: the end of its work, `fail`, or `putAside`.
 */
export class ShortCommitment<Result> implements WantedLeaves {
  readonly store: StreamKey;
  readonly start: Sequence;
  readonly end: Sequence;
  readonly key: string;
  /** As `CommitmentLog.commitShort`. */
  readonly outcome: Promise<Result | 'not so'>;
  private readonly work: Work<Result>;
  private settle!: (outcome: Result | 'not so') => void;
  private reject!: (error: unknown) => void;
  private adding: PendingAddition | null = null;

  constructor(store: StreamKey, { start, end }: SequenceRange, work: Work<Result>) {
    this.store = store;
    this.start = start;
    this.end = end;
    this.key = storeKeyText(store);
    this.work = work;
    this.outcome = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.reject = reject;
    });
  }

  /** How many leaves are read for it at most. */
  get leafCount(): number {
    return this.end - this.start + 1;
  }

  /** @returns what is to be added, or null when there is nothing and the outcome is settled */
  begin(view: ChainView): Promise<FittingCommitment | null> {
    // That the chain ends where no commitment does is for the other way to report.
    const isBroken = view.sequenceEnd > 0 && view.stateRoot === null;
    if (isBroken || this.start <= view.sequenceEnd) {
      this.putAside();
      return Promise.resolve(null);
    }
    return new Promise((resolve) => {
      this.work(this.openTransaction(view, resolve))
        .then(this.settle, this.reject)
        .finally(() => resolve(null));
    });
  }

  /** What it added is durable. */
  complete({ committedAt }: AddedCommitment): void {
    const { commitment, resolve } = this.adding!;
    resolve({ ...this.store, ...commitment, committedAt, anchor: null });
  }

  fail(error: unknown): void {
    this.reject(error);
    this.adding?.reject(error);
  }

  /** Nothing was stored, and another way has to be taken. */
  putAside(): void {
    this.settle('not so');
    this.adding?.reject(new LogUnavailable('the chain has moved, or is held'));
  }

  private openTransaction(view: ChainView, add: (fitting: FittingCommitment) => void): CommitmentTransaction {
    const { storeNumber, head, leaves, leavesAgain } = view;
    const last =
      view.stateRoot === null
        ? null
        : { sequenceEnd: view.sequenceEnd as Sequence, stateRoot: view.stateRoot };
    const previous = last && { sequenceEnd: last.sequenceEnd, committedAt: view.committedAt! };
    let nodes: Uint8Array = new Uint8Array();
    return {
      head,
      last,
      // Or it would not have begun.
      findStartingAt: () => Promise.resolve(null),
      readEntities: null,
      // The range is one page of leaves, which begins with it, and one chunk of nodes.
      readLeaves: () => Promise.resolve(leaves),
      checkLeaves: () =>
        Promise.resolve({
          leaves: leavesAgain,
          firstWrong: firstDifference(leaves, leavesAgain, this.start),
        }),
      addNodes(_batchId, _chunk, all) {
        nodes = all;
        return Promise.resolve();
      },
      add: (commitment) =>
        new Promise((resolve, reject) => {
          this.adding = { commitment, resolve, reject };
          add({ commitment, nodes, storeNumber, previous });
        }),
    };
  }
}

interface PendingAddition {
  readonly commitment: NewCommitment;
  readonly resolve: (stored: StoredCommitment) => void;
  readonly reject: (error: unknown) => void;
}

/** The sequence of the first leaf that differs, or null. */
function firstDifference(leaves: Uint8Array, again: Uint8Array, start: Sequence): Sequence | null {
  if (sameBytes(leaves, again)) return null;
  const at = leaves.findIndex((byte, index) => byte !== again[index]);
  return (start + Math.floor(at / 32)) as Sequence;
}
