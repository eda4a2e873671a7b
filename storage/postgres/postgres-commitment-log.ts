import pg from 'pg';
import type { Commitment, EntityState } from '../../domain/commitment.ts';
import { CommitmentOutcomeUnknown, InvariantBroken, LogUnavailable } from '../../domain/errors.ts';
import type { Hash, Sequence, StreamKey, Uuid, World } from '../../domain/types.ts';
import type {
  Anchor,
  AnchorOutcome,
  CheckedLeaves,
  CommitmentLag,
  CommitmentLog,
  CommitmentPage,
  CommitmentTransaction,
  DueRule,
  DueStream,
  NewCommitment,
  SequenceRange,
  StoredCommitment,
} from '../commitment-log.ts';
import { CommitmentGroups } from './commitment-groups.ts';
import { isRefusal, toReadError } from './database-errors.ts';
import { fetchEntities, openEntities } from './queries/all-entities.query.ts';
import { commitmentLag } from './queries/commitment-lag.query.ts';
import { dueStreams } from './queries/due-streams.query.ts';
import { insertCommitment, insertNodes } from './queries/insert-commitment.query.ts';
import { lockChain, startChain, type LockedChain } from './queries/lock-chain.query.ts';
import {
  findCommitment,
  findCommitmentEndingAt,
  findCommitmentStartingAt,
  listCommitmentsFrom,
  listPending,
  listUnanchored,
} from './queries/read-commitment.query.ts';
import { checkLeaves, readLeaves } from './queries/read-leaves.query.ts';
import { readTree, type TreeBytes } from './queries/read-tree.query.ts';
import { anchorHash, recordAnchor } from './queries/record-anchor.query.ts';
import { read, send } from './query.ts';
import type { Replica } from './replica.ts';
import { ShortCommitment } from './short-commitment.ts';
import { CommitFailed, inTransaction } from './transaction.ts';

/** Each lost try means that another commitment of the stream was made, so one of the next few is refused or succeeds. */
const triesMax = 10;

/**
 * The slowest statement sorts every entity of a store: seconds for a million. Who asked may have given up by then, and
 * finds the commitment later.
 */
const transactionOptions = { isolation: 'repeatable read', statementTimeoutMs: 600_000 } as const;

/** The commitments in Postgres; the pool must lead to the primary. */
export class PostgresCommitmentLog implements CommitmentLog {
  private readonly pool: pg.Pool;
  private readonly replica: Replica | null;
  private readonly groups: CommitmentGroups;

  /** @param replica asked first for what never changes; null when there is none */
  constructor(pool: pg.Pool, replica: Replica | null = null) {
    this.pool = pool;
    this.replica = replica;
    this.groups = new CommitmentGroups(pool);
  }

  async commit<Result>(
    stream: StreamKey,
    whenBusy: 'wait' | 'skip',
    work: (transaction: CommitmentTransaction) => Promise<Result>,
  ): Promise<Result | 'busy' | 'no stream'> {
    for (let tries = 1; ; tries++) {
      const outcome = await this.tryCommit(stream, whenBusy, work);
      if (outcome.kind === 'done') return outcome.result;
      if (outcome.kind === 'no chain') {
        const [chain] = await read(this.pool, startChain, stream);
        if (chain?.storeExists !== true) return 'no stream';
        if (!chain.isNew && whenBusy === 'skip') return 'busy';
      }
      if (tries === triesMax) {
        throw new LogUnavailable('a stream is committed by too many at once', { ...stream, triesMax });
      }
    }
  }

  commitShort<Result>(
    stream: StreamKey,
    range: SequenceRange,
    work: (transaction: CommitmentTransaction) => Promise<Result>,
  ): Promise<Result | 'not so'> {
    return this.groups.commit(new ShortCommitment(stream, range, work));
  }

  async find(world: World, batchId: Uuid): Promise<StoredCommitment | null> {
    // One with an anchor is as it will always be; one without may have been given one.
    const old = await this.replica?.read(
      findCommitment,
      { world, batchId },
      ([known]) => known?.anchor != null,
    );
    const [found] = old ?? (await read(this.pool, findCommitment, { world, batchId }));
    return found ?? null;
  }

  async listUnanchored(stream: StreamKey, page: CommitmentPage): Promise<StoredCommitment[]> {
    return read(this.pool, listUnanchored, { ...stream, ...page });
  }

  async listFrom(stream: StreamKey, from: Sequence, limit: number): Promise<StoredCommitment[]> {
    return read(this.pool, listCommitmentsFrom, { ...stream, from, limit });
  }

  async listPending(world: World, page: CommitmentPage): Promise<StoredCommitment[]> {
    return read(this.pool, listPending, { world, ...page });
  }

  async recordAnchor(
    world: World,
    batchId: Uuid,
    anchor: Omit<Anchor, 'anchoredAt'>,
  ): Promise<AnchorOutcome> {
    const recorded = await read(this.pool, recordAnchor, { world, batchId, ...anchor });
    if (recorded.length > 0) return { kind: 'anchored' };
    const [txHash] = await read(this.pool, anchorHash, { world, batchId });
    if (txHash === undefined) return { kind: 'unknown commitment' };
    if (txHash === null) throw new InvariantBroken(`the anchor of ${batchId} came and went`, { batchId });
    return { kind: 'already anchored', txHash };
  }

  async readTree(
    commitment: Commitment,
    range: { readonly from: Sequence; readonly to: Sequence },
    positions: readonly number[],
  ): Promise<{ leaves: Hash[]; nodes: Hash[] }> {
    const asked = { commitment, ...range, positions };
    const query = readTree[commitment.world];
    const leafCount = range.to - range.from + 1;
    const isWhole = ([found]: readonly TreeBytes[]): boolean =>
      found?.leaves.length === 32 * leafCount && found.nodes.length === 32 * positions.length;
    const rows = (await this.replica?.read(query, asked, isWhole)) ?? (await read(this.pool, query, asked));
    const [found] = rows;
    if (found === undefined || !isWhole(rows)) {
      const { batchId } = commitment;
      throw new InvariantBroken(`the tree of the commitment ${batchId} lacks some of what was asked for`, {
        batchId,
        ...range,
        leaves: found?.leaves.length,
        nodes: found?.nodes.length,
      });
    }
    return { leaves: splitHashes(found.leaves), nodes: splitHashes(found.nodes) };
  }

  async readLag(): Promise<CommitmentLag> {
    const [lag] = await read(this.pool, commitmentLag, null);
    return lag!; // An aggregate: one row.
  }

  async findDue(rule: DueRule, streamsMax: number): Promise<DueStream[]> {
    return read(this.pool, dueStreams, { ...rule, streamsMax });
  }

  private async tryCommit<Result>(
    stream: StreamKey,
    whenBusy: 'wait' | 'skip',
    work: (transaction: CommitmentTransaction) => Promise<Result>,
  ): Promise<{ kind: 'done'; result: Result } | { kind: 'no chain' } | { kind: 'outdated' }> {
    try {
      return await inTransaction(this.pool, transactionOptions, async (client) => {
        const [chain] = await send(client, lockChain[stream.world][whenBusy], stream);
        if (chain === undefined) return { kind: 'no chain' };
        const transaction = await openTransaction(client, stream, chain);
        return { kind: 'done', result: await work(transaction) };
      });
    } catch (error) {
      if (isOutdated(error)) return { kind: 'outdated' };
      if (!(error instanceof CommitFailed)) throw toReadError(error, 'commit');
      if (isRefusal(error.cause)) throw toReadError(error.cause, 'commit');
      throw new CommitmentOutcomeUnknown('no answer came to a commitment', { ...stream }, { cause: error });
    }
  }
}

/** Whether another transaction committed a range of the stream after our snapshot was taken. */
function isOutdated(error: unknown): boolean {
  const cause = error instanceof CommitFailed ? error.cause : error;
  return cause instanceof pg.DatabaseError && (cause.code === '40001' || cause.code === '40P01');
}

async function openTransaction(
  client: pg.PoolClient,
  stream: StreamKey,
  { storeNumber, sequenceEnd, head }: LockedChain,
): Promise<CommitmentTransaction> {
  const { tenantId, storeId, world } = stream;
  const [last = null] =
    sequenceEnd === 0 ? [] : await send(client, findCommitmentEndingAt, { ...stream, end: sequenceEnd });
  if (sequenceEnd > 0 && last === null) {
    throw new InvariantBroken(`the chain ends at ${sequenceEnd}, where no commitment does`, { ...stream });
  }
  const range = (from: Sequence, to: Sequence) => ({ storeNumber, tenantId, storeId, from, to });
  return {
    head,
    last,

    async findStartingAt(start) {
      const [found] = await send(client, findCommitmentStartingAt, { ...stream, start });
      return found ?? null;
    },

    async readLeaves(from, to): Promise<Uint8Array> {
      const [leaves] = await send(client, readLeaves[world], range(from, to));
      return leaves ?? new Uint8Array();
    },

    async checkLeaves(from, to): Promise<CheckedLeaves> {
      const [checked] = await send(client, checkLeaves[world], range(from, to));
      return checked ?? { leaves: new Uint8Array(), firstWrong: null };
    },

    readEntities: world === 'legacy' ? () => entitiesOf(client, storeNumber) : null,

    async addNodes(batchId, chunk, nodes) {
      await send(client, insertNodes, { batchId, chunk, nodes });
    },

    async add(commitment: NewCommitment) {
      const previousEnd = last?.sequenceEnd ?? null;
      const [added] = await send(client, insertCommitment, {
        ...commitment,
        world,
        storeNumber,
        previousEnd,
      });
      if (added === undefined) throw new InvariantBroken('an insert returned nothing', { ...stream });
      return added;
    },
  };
}

async function* entitiesOf(
  client: pg.PoolClient,
  storeNumber: number,
): AsyncGenerator<readonly EntityState[]> {
  await send(client, openEntities, { storeNumber });
  for (;;) {
    const entities = await send(client, fetchEntities, null);
    if (entities.length === 0) return;
    yield entities;
  }
}

function splitHashes(joined: Uint8Array): Hash[] {
  return Array.from(
    { length: joined.length / 32 },
    (_, at) => joined.subarray(32 * at, 32 * (at + 1)) as Hash,
  );
}
