import { brokenLink } from '../../domain/commitment.ts';
import { MerkleTree } from '../../domain/merkle/tree.ts';
import type { LeafIndex, Sequence, StreamKey } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { CommitmentTransaction, StoredCommitment } from '../../storage/commitment-log.ts';
import { worldColumns } from '../../storage/postgres/world-columns.ts';
import {
  type CommitmentNode,
  fillStream,
  newStream,
  openCommitmentNode,
  wanted,
} from '../support/commitments.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/**
 * Commitments of short ranges of VES streams, which share round trips and commits. The first commitment of a stream is not
 * among them, so each stream here has one over its first event.
 */
let database: TestDatabase;
let node: CommitmentNode;
let other: CommitmentNode;

beforeAll(async () => {
  database = await createTestDatabase();
  node = await openCommitmentNode(database.url);
  other = await openCommitmentNode(database.url);
});

afterAll(async () => {
  await Promise.all([node.close(), other.close()]);
  await database.drop();
});

beforeEach(() => void node.refusals.splice(0));

async function openStream(events: number): Promise<StreamKey> {
  const stream = newStream('ves');
  await fillStream(node.pool, stream, events);
  await node.committer.commit(stream, wanted(1, 1));
  return stream;
}

function openStreams(count: number, events: number): Promise<StreamKey[]> {
  return Promise.all(Array.from({ length: count }, () => openStream(events)));
}

const chainOf = (stream: StreamKey): Promise<StoredCommitment[]> =>
  node.commitments.listFrom(stream, 1 as Sequence, 100);

async function expectChain(stream: StreamKey, ends: readonly number[]): Promise<void> {
  const chain = await chainOf(stream);
  expect(chain.map(({ sequenceEnd }) => sequenceEnd)).toEqual(ends);
  chain.forEach((one, index) => expect(brokenLink(chain[index - 1] ?? null, one, nodeSha256)).toBeNull());
}

async function tamper(stream: StreamKey, sequence: number, change: string): Promise<void> {
  const { rowCount } = await node.pool.query(
    `${change} where sequence = $2 and store_number = (select store_number from streams where tenant_id = $1)`,
    [stream.tenantId, sequence],
  );
  expect(rowCount).toBe(1);
}

/** The transactions that Postgres has committed in this database, once it has reported all that are over. */
async function transactionsCommitted(): Promise<number> {
  const { rows } = await node.pool.query<{ count: number }>(
    `select count(distinct xmin::text)::integer as count from commitments`,
  );
  return rows[0]!.count;
}

test('commitments of several streams that are asked for at once are made in few transactions', async () => {
  const streams = await openStreams(12, 50);
  const before = await transactionsCommitted();
  const made = await Promise.all(streams.map((stream) => node.committer.commit(stream, wanted(2, 50))));
  expect((await transactionsCommitted()) - before).toBeLessThanOrEqual(2);
  for (const [index, stream] of streams.entries()) {
    await expectChain(stream, [1, 50]);
    expect(made[index]).toEqual((await chainOf(stream))[1]);
  }
});

test('each has the root over its own leaves, and proves every one of them', async () => {
  const sizes = [1, 2, 3, 7, 8, 33];
  const streams = await Promise.all(sizes.map((size) => openStream(size + 1)));
  const made = await Promise.all(
    streams.map((stream, index) => node.committer.commit(stream, wanted(2, sizes[index]! + 1))),
  );
  for (const [index, stream] of streams.entries()) {
    const { rows } = await node.pool.query<{ leaf_hash: never }>(
      `select e.leaf_hash from ves_events e join streams using (store_number)
        where tenant_id = $1 and sequence > 1 order by sequence`,
      [stream.tenantId],
    );
    const tree = new MerkleTree(
      'ves',
      rows.map(({ leaf_hash }) => leaf_hash),
      nodeSha256,
    );
    expect(Buffer.from(made[index]!.root)).toEqual(Buffer.from(tree.root));
    for (let leaf = 0; leaf < sizes[index]!; leaf++) {
      const proof = await node.reader.prove(made[index]!, (leaf + 2) as Sequence);
      expect(proof.path.map((hash) => Buffer.from(hash))).toEqual(
        tree.prove(leaf as LeafIndex).path.map((hash) => Buffer.from(hash)),
      );
    }
  }
});

test('one that is refused, damaged or incomplete leaves its neighbours alone', async () => {
  const streams = await openStreams(5, 20);
  const [, beyond, damaged, incomplete] = streams as [StreamKey, StreamKey, StreamKey, StreamKey, StreamKey];
  await tamper(
    damaged,
    13,
    'update ves_events set leaf_hash = set_byte(leaf_hash, 7, get_byte(leaf_hash, 7) # 4)',
  );
  await tamper(incomplete, 9, 'delete from ves_events');
  const outcomes = await Promise.allSettled(
    streams.map((stream) => node.committer.commit(stream, wanted(2, stream === beyond ? 21 : 20))),
  );
  expect(outcomes).toMatchObject([
    { status: 'fulfilled', value: { leafCount: 19 } },
    { status: 'rejected', reason: { message: expect.stringContaining('no events beyond 20') } },
    {
      status: 'rejected',
      reason: { kind: 'corrupt', message: 'the stored leaf of event 13 does not follow from the event' },
    },
    {
      status: 'rejected',
      reason: { message: "of the 19 events 2..20 1 are missing, so 2..20 can't be committed" },
    },
    { status: 'fulfilled', value: { leafCount: 19 } },
  ]);
  expect(node.refusals).toHaveLength(2);
  await expectChain(streams[0]!, [1, 20]);
  await expectChain(damaged, [1]);
  await expectChain(incomplete, [1]);
});

test('a group that Postgres refuses for one of them is made without it', async () => {
  const [taken, good] = (await openStreams(2, 10)) as [StreamKey, StreamKey];
  // What no run of the product leaves behind: the batch id exists already, so the index refuses the statement.
  const [{ batchId }] = (await chainOf(taken)) as [StoredCommitment];
  const work = (id: StoredCommitment['batchId']) => async (transaction: CommitmentTransaction) => {
    const leaves = await transaction.readLeaves(2 as Sequence, 2 as Sequence);
    return transaction.add({
      ...{ batchId: id, sequenceStart: 2 as Sequence, sequenceEnd: 2 as Sequence, leafCount: 1 },
      ...{
        root: leaves as never,
        previousStateRoot: transaction.last!.stateRoot,
        stateRoot: leaves as never,
      },
      signature: null,
    });
  };
  const range = { start: 2 as Sequence, end: 2 as Sequence };
  const both = await Promise.all([
    node.commitments.commitShort(taken, range, work(batchId)),
    node.commitments.commitShort(good, range, work(newStream('ves').storeId)),
  ]);
  expect(both).toEqual(['not so', 'not so']);
  await expectChain(good, [1]);
});

test('two nodes that commit the same streams at once make one chain of each', async () => {
  const streams = await openStreams(6, 41);
  const commitAll = ({ committer }: CommitmentNode) =>
    streams.flatMap((stream) =>
      Array.from({ length: 4 }, (_, index) =>
        committer.commit(stream, wanted(2 + 10 * index, 11 + 10 * index)),
      ),
    );
  await Promise.allSettled([...commitAll(node), ...commitAll(other)]);
  for (const stream of streams) {
    const chain = await chainOf(stream);
    await expectChain(stream, [1, 11, 21, 31, 41].slice(0, chain.length));
    expect(chain.length).toBeGreaterThan(1);
  }
});

test('the same range, asked for by two nodes many times at once, is one commitment', async () => {
  const stream = await openStream(30);
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? node : other).committer.commit(stream, wanted(2, 30)),
    ),
  );
  expect(new Set(all.map(({ batchId }) => batchId)).size).toBe(1);
  await expectChain(stream, [1, 30]);
});

test('a stream that is being committed elsewhere holds up none of its group', async () => {
  const [held, free] = (await openStreams(2, 20)) as [StreamKey, StreamKey];
  let waiting: Promise<StoredCommitment> | undefined;
  await other.commitments.commit(held, 'wait', async () => {
    waiting = node.committer.commit(held, wanted(2, 20));
    await expect(node.committer.commit(free, wanted(2, 20))).resolves.toMatchObject({ leafCount: 19 });
  });
  await expect(waiting).resolves.toMatchObject({ leafCount: 19 });
  await expectChain(held, [1, 20]);
});

test('a commitment that another one overtook while it was worked on is not stored', async () => {
  const stream = await openStream(20);
  const late = node.commitments.commitShort(
    stream,
    { start: 2 as Sequence, end: 10 as Sequence },
    async (transaction) => {
      await other.committer.commit(stream, wanted(2, 5));
      const root = new Uint8Array(32) as never;
      return transaction.add({
        ...{
          batchId: stream.storeId,
          sequenceStart: 2 as Sequence,
          sequenceEnd: 10 as Sequence,
          leafCount: 9,
        },
        ...{ root, previousStateRoot: transaction.last!.stateRoot, stateRoot: root, signature: null },
      });
    },
  );
  await expect(late).resolves.toBe('not so');
  await expectChain(stream, [1, 5]);
});

test('those whose answer is lost are reported as unknown, and are there', async () => {
  const streams = await openStreams(3, 10);
  const proxy = await TcpProxy.open(database.url);
  const distant = await openCommitmentNode(proxy.url, {
    signer: {
      sequencerId: newStream('ves').storeId,
      sign: () => {
        proxy.fallSilent();
        return Promise.resolve({ signature: new Uint8Array(64), keyVersion: 1 });
      },
    },
  });
  try {
    const lost = streams.map((stream) => distant.committer.commit(stream, wanted(2, 10)));
    const settled = Promise.allSettled(lost);
    await until('they are stored', async () => {
      const chains = await Promise.all(streams.map(chainOf));
      return chains.every(({ length }) => length === 2);
    });
    proxy.goDown();
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { kind: 'unknown', code: 'COMMITMENT_OUTCOME_UNKNOWN' },
      });
    }
    for (const stream of streams) await expectChain(stream, [1, 10]);
  } finally {
    await distant.close();
    await proxy.close();
  }
});

test('leaves beyond the head are not read, whatever rows there are', async () => {
  const stream = await openStream(9);
  await node.pool.query(`update streams set ${worldColumns.ves.head} = 5 where tenant_id = $1`, [
    stream.tenantId,
  ]);
  const range = { start: 2 as Sequence, end: 9 as Sequence };
  const read = await node.commitments.commitShort(stream, range, async (transaction) => {
    const leaves = await transaction.readLeaves(range.start, range.end);
    return { head: transaction.head, leaves: leaves.length / 32 };
  });
  expect(read).toEqual({ head: 5, leaves: 4 });
});
