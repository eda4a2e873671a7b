import type pg from 'pg';
import { CommitmentOutcomeUnknown, LogUnavailable } from '../../domain/errors.ts';
import { isRefusal, toReadError } from './database-errors.ts';
import { addCommitments, type FittingCommitment } from './queries/add-commitments.query.ts';
import { readChains } from './queries/read-chains.query.ts';
import { read, send } from './query.ts';
import type { ShortCommitment } from './short-commitment.ts';

/** Each takes a connection of the pool. While Postgres works for one, the node works for the other. */
const groupsMax = 2;
/** Of a group, which is worked on without a pause: no more than of one page of a long range. */
const leavesMax = 4_096;
const commitmentsMax = 64;
/** The one after is refused. */
const waitingMax = 200;

/**
 * Makes short commitments in groups: two round trips for all of a group, of which the second is its own transaction and
 * refuses those whose chain has moved since the first. What comes while groups are on their way waits for the next. Each is
 * settled on its own; a group that Postgres refuses as a whole is dissolved, so that nobody pays for a neighbour.
 */
export class CommitmentGroups {
  private readonly pool: pg.Pool;
  private waiting: ShortCommitment<unknown>[] = [];
  private running = 0;

  constructor(pool: pg.Pool) {
    this.pool = pool;
  }

  /** @throws LogUnavailable at once, when as many wait as may */
  async commit<Result>(commitment: ShortCommitment<Result>): Promise<Result | 'not so'> {
    if (this.waiting.length >= waitingMax) {
      throw new LogUnavailable('too many commitments wait to be made', { waitingMax });
    }
    this.waiting.push(commitment as ShortCommitment<unknown>);
    if (this.running < groupsMax) void this.run();
    return commitment.outcome;
  }

  private async run(): Promise<void> {
    this.running++;
    // What is asked for in the same turn of the event loop is one group.
    await new Promise((resolve) => setImmediate(resolve));
    for (let group = this.take(); group.length > 0; group = this.take()) await this.commitGroup(group);
    this.running--;
  }

  /** The next group: the oldest that wait, of each stream one. */
  private take(): ShortCommitment<unknown>[] {
    const taken = new Map<string, ShortCommitment<unknown>>();
    const left: ShortCommitment<unknown>[] = [];
    let leaves = 0;
    for (const one of this.waiting) {
      const isFull = taken.size === commitmentsMax || (taken.size > 0 && leaves + one.leafCount > leavesMax);
      if (isFull || taken.has(one.key)) left.push(one);
      else {
        taken.set(one.key, one);
        leaves += one.leafCount;
      }
    }
    this.waiting = left;
    return [...taken.values()];
  }

  /** Settles all of them, and never throws. */
  private async commitGroup(group: readonly ShortCommitment<unknown>[]): Promise<void> {
    let client: pg.PoolClient;
    try {
      client = await this.pool.connect();
    } catch (error) {
      for (const one of group) one.fail(toReadError(error, 'commit'));
      return;
    }
    // A connection that breaks while no statement is in flight emits; unheard, that would end the process.
    client.on('error', ignore);
    const isUsable = await commitOn(client, group);
    client.off('error', ignore);
    client.release(!isUsable);
  }
}

/** @returns whether the connection may be used again */
async function commitOn(client: pg.PoolClient, group: readonly ShortCommitment<unknown>[]): Promise<boolean> {
  const making = new Map<number, { one: ShortCommitment<unknown>; fitting: FittingCommitment }>();
  try {
    const views = await read(client, readChains, group);
    const seen = new Set(views.map(({ place }) => place));
    group.forEach((one, place) => !seen.has(place) && one.putAside());
    await Promise.all(
      views.map(async (view) => {
        const one = group[view.place]!;
        const fitting = await one.begin(view);
        if (fitting !== null) making.set(view.storeNumber, { one, fitting });
      }),
    );
  } catch (error) {
    for (const one of group) one.fail(error);
    return false;
  }
  if (making.size === 0) return true;
  try {
    const fitting = [...making.values()].map((one) => one.fitting);
    const added = await send(client, addCommitments, fitting);
    for (const row of added) making.get(row.storeNumber)!.one.complete(row);
    const addedTo = new Set(added.map(({ storeNumber }) => storeNumber));
    for (const [storeNumber, { one }] of making) if (!addedTo.has(storeNumber)) one.putAside();
    return true;
  } catch (error) {
    for (const { one } of making.values()) {
      if (isRefusal(error)) one.putAside();
      else
        one.fail(
          new CommitmentOutcomeUnknown('no answer came to a commitment', { ...one.store }, { cause: error }),
        );
    }
    return false;
  }
}

function ignore(): void {
  // The statement that comes next fails with the same error.
}
