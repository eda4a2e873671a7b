import { AppendRefused, InvariantBroken, type SequencerError } from '../../domain/errors.ts';
import type { AppendOutcome } from '../event-log.ts';
import {
  isDemotion,
  isPassing,
  isRefusal,
  toAppendError,
  toReadError,
  uniqueViolationOf,
} from './database-errors.ts';
import type { PlannedBatch } from './queries/append.query.ts';
import type { FenceRow } from './queries/fence-rows.query.ts';

/** A batch on its way, and how its caller hears of it. */
export interface SettledBatch extends PlannedBatch {
  settle(outcome: AppendOutcome | SequencerError): void;
}

/** What a flush needs of the connection. */
export interface FlushConnection {
  append(batches: readonly PlannedBatch[]): Promise<ReadonlySet<number>>;
  fenceRows(storeNumbers: readonly number[]): Promise<readonly FenceRow[]>;
}

export interface FlushResult<Batch> {
  /** Not settled, and certainly not stored: another session holds the fence row. */
  readonly locked: readonly Batch[];
  /** Not settled and never sent, since the connection was of no use any more before their turn. */
  readonly unsent: readonly Batch[];
  readonly isConnected: boolean;
}

/**
 * Appends batches of different stores in one statement, and settles every one of them on its own: what is wrong with one
 * must not touch the others. A batch that repeats a stored id is named by the error; the others are sent again without
 * it. What else Postgres refuses is halved until the culprit stands alone.
 *
 * @param before resolves once the flush before on this connection is over: what missed its fence, or is sent again, may
 *   depend on what that one sends again
 */
export async function flush<Batch extends SettledBatch>(
  connection: FlushConnection,
  batches: readonly Batch[],
  before: Promise<void> = Promise.resolve(),
): Promise<FlushResult<Batch>> {
  const groups: (readonly Batch[])[] = [batches];
  const locked: Batch[] = [];
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    try {
      const appended = await connection.append(group);
      for (const batch of group) if (appended.has(storeNumberOf(batch))) batch.settle({ kind: 'appended' });
      const missed = group.filter((batch) => !appended.has(storeNumberOf(batch)));
      if (missed.length === 0) continue;
      await before;
      locked.push(...(await settleMissed(connection, missed)));
    } catch (error) {
      const isUsable = error instanceof AppendRefused || (isRefusal(error) && !isDemotion(error));
      if (!isUsable) {
        settleAll(group, toAppendError(error));
        return { locked, unsent: groups.flat(), isConnected: false };
      }
      await before;
      groups.push(...settleRefused(group, error));
    }
  }
  return { locked, unsent: [], isConnected: true };
}

/** Tells batches that matched no row why, and returns those whose row would have matched: someone else holds it. */
async function settleMissed<Batch extends SettledBatch>(
  connection: FlushConnection,
  batches: readonly Batch[],
): Promise<Batch[]> {
  let rows: ReadonlyMap<number, FenceRow>;
  try {
    const found = await connection.fenceRows(batches.map(storeNumberOf));
    rows = new Map(found.map((row) => [row.storeNumber, row]));
  } catch (error) {
    settleAll(batches, toReadError(error, 'append'));
    return [];
  }
  return batches.filter((batch) => {
    const outcome = outcomeOfMissed(batch, rows.get(storeNumberOf(batch)));
    if (outcome !== null) batch.settle(outcome);
    return outcome === null;
  });
}

/** Null when the row is as the batch expects it. */
export function outcomeOfMissed(
  { batch: { claim, expectedHeads } }: Pick<PlannedBatch, 'batch'>,
  row: FenceRow | undefined,
): AppendOutcome | InvariantBroken | null {
  if (row === undefined) {
    return new InvariantBroken(`the log has no store number ${claim.storeNumber}`, { ...claim });
  }
  if (row.epoch !== claim.epoch) return { kind: 'fenced', epoch: row.epoch, claimant: row.claimant };
  const { legacy, ves } = row.heads;
  if (legacy !== expectedHeads.legacy || ves !== expectedHeads.ves)
    return { kind: 'heads-moved', heads: row.heads };
  return null;
}

/** Settles the batches that a failed statement leaves no hope for, and returns the others as groups to send again. */
function settleRefused<Batch extends SettledBatch>(
  group: readonly Batch[],
  error: unknown,
): (readonly Batch[])[] {
  const violation = uniqueViolationOf(error);
  const [only] = group;
  const culprit =
    group.length === 1 ? only : group.find((batch) => storeNumberOf(batch) === violation?.storeNumber);
  if (culprit !== undefined) {
    const isRepeat = violation !== null && repeatConstraints.has(violation.constraint);
    culprit.settle(isRepeat ? { kind: 'conflict' } : toAppendError(error));
    const others = group.filter((batch) => batch !== culprit);
    return others.length > 0 ? [others] : [];
  }
  if (isRefusal(error) && isPassing(error)) {
    settleAll(group, toAppendError(error));
    return [];
  }
  const half = Math.ceil(group.length / 2);
  return [group.slice(half), group.slice(0, half)];
}

/** The indexes that refuse a repeated id. Those on sequences can't be hit while the heads are true. */
const repeatConstraints = new Set([
  'legacy_events_event_id',
  'legacy_events_command_id',
  'ves_events_event_id',
  'ves_events_command_id',
]);

function settleAll(batches: readonly SettledBatch[], error: SequencerError): void {
  for (const batch of batches) batch.settle(error);
}

function storeNumberOf({ batch }: PlannedBatch): number {
  return batch.claim.storeNumber;
}
