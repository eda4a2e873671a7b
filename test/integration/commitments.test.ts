import type pg from 'pg';
import { toHex } from '../../domain/bytes.ts';
import { brokenLink, type EntityState, legacyStateRoot } from '../../domain/commitment.ts';
import { positionOf } from '../../domain/merkle/node-order.ts';
import { MerkleTree } from '../../domain/merkle/tree.ts';
import type { EntityVersion, Hash, LeafIndex, Sequence, StreamKey } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { StoredCommitment } from '../../storage/commitment-log.ts';
import { countEntities, startWatermark } from '../../storage/postgres/queries/count-entities.query.ts';
import { send } from '../../storage/postgres/query.ts';
import { worldColumns } from '../../storage/postgres/world-columns.ts';
import {
  type CommitmentNode,
  fillStream,
  newStream,
  openCommitmentNode,
  wanted,
  worlds,
} from '../support/commitments.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

async function leavesOf(pool: pg.Pool, stream: StreamKey): Promise<Hash[]> {
  const { rows } = await pool.query<{ leaf_hash: Hash }>(
    `select e.leaf_hash from ${worldColumns[stream.world].events} e join streams s using (store_number)
      where s.tenant_id = $1 and s.store_id = $2 order by e.sequence`,
    [stream.tenantId, stream.storeId],
  );
  return rows.map(({ leaf_hash }) => leaf_hash);
}

/** Runs one statement on the event of a stream with this sequence; `$set` follows. */
async function tamper(pool: pg.Pool, stream: StreamKey, sequence: number, change: string): Promise<void> {
  const { rowCount } = await pool.query(
    `${change.replace('EVENTS', worldColumns[stream.world].events)}
      where sequence = $3
        and store_number = (select store_number from streams where tenant_id = $1 and store_id = $2)`,
    [stream.tenantId, stream.storeId, sequence],
  );
  expect(rowCount).toBe(1);
}

const flipped = (column: string): string =>
  `update EVENTS set ${column} = set_byte(${column}, 7, get_byte(${column}, 7) # 4)`;

async function storedFor(pool: pg.Pool, stream: StreamKey): Promise<{ commitments: number; chunks: number }> {
  const { rows } = await pool.query<{ commitments: number; chunks: number }>(
    `select count(distinct batch_id)::integer as commitments, count(n.chunk)::integer as chunks
       from streams s join commitments c using (store_number) left join commitment_nodes n using (batch_id)
      where s.tenant_id = $1 and s.store_id = $2 and c.world = $3`,
    [stream.tenantId, stream.storeId, stream.world],
  );
  return rows[0]!;
}

describe.each(serverNames)('on %s Postgres', (server) => {
  let database: TestDatabase;
  let node: CommitmentNode;
  let other: CommitmentNode;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    node = await openCommitmentNode(database.url, { cacheMax: 1 });
    other = await openCommitmentNode(database.url);
  });
  afterAll(async () => {
    await Promise.all([node.close(), other.close()]);
    await database.drop();
  });
  beforeEach(() => void node.refusals.splice(0));

  async function filled(world: StreamKey['world'], count: number): Promise<StreamKey> {
    const stream = newStream(world);
    await fillStream(node.pool, stream, count);
    return stream;
  }

  describe.each(worlds)('a %s stream', (world) => {
    test('is committed in a chain, and every leaf of each size is proved', async () => {
      const sizes = [...Array.from({ length: 34 }, (_, index) => index + 1), 47, 63, 64, 65, 70];
      const stream = await filled(
        world,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      const leaves = await leavesOf(node.pool, stream);
      let previous: StoredCommitment | null = null;
      for (const size of sizes) {
        const start: number = (previous?.sequenceEnd ?? 0) + 1;
        const made: StoredCommitment = await node.committer.commit(stream, wanted(start, start + size - 1));
        expect(brokenLink(previous, made, nodeSha256)).toBeNull();
        expect(made.committedAt).toBeGreaterThanOrEqual(previous?.committedAt ?? 0n);
        const tree = new MerkleTree(world, leaves.slice(start - 1, start - 1 + size), nodeSha256);
        expect(toHex(made.root)).toBe(toHex(tree.root));
        for (let index = 0; index < size; index++) {
          const proof = await node.reader.prove(made, (start + index) as Sequence);
          const expected = tree.prove(index as LeafIndex);
          expect({ ...proof, leafHash: toHex(proof.leafHash), path: proof.path.map(toHex) }).toEqual({
            ...expected,
            leafHash: toHex(expected.leafHash),
            path: expected.path.map(toHex),
          });
        }
        previous = made;
      }
    });

    test('of 100,000 events is committed page by page, and its leaves are proved', async () => {
      const count = 100_000;
      const stream = await filled(world, count);
      const made = await node.committer.commit(stream, wanted(1, count));
      const tree = new MerkleTree(world, await leavesOf(node.pool, stream), nodeSha256);
      expect(toHex(made.root)).toBe(toHex(tree.root));
      for (const sequence of [1, 2, 4_096, 4_097, 50_000, 65_536, 65_537, 98_305, 99_999, 100_000]) {
        const proof = await node.reader.prove(made, sequence as Sequence);
        expect(proof.path.map(toHex)).toEqual(tree.prove((sequence - 1) as LeafIndex).path.map(toHex));
      }
      const { rows } = await node.pool.query<{ longest: number }>(
        'select max(length(nodes)) as longest from commitment_nodes where batch_id = $1',
        [made.batchId],
      );
      expect(rows).toEqual([{ longest: 131_072 }]);
    });

    test('may begin its chain anywhere', async () => {
      const stream = await filled(world, 9);
      const made = await node.committer.commit(stream, wanted(4, 6));
      expect(brokenLink(null, made, nodeSha256)).toBeNull();
      await expect(node.committer.commit(stream, wanted(1, 3))).rejects.toMatchObject({
        code: 'INVALID_FIELD_VALUE',
        message: expect.stringContaining('the next begins at 7'),
      });
    });

    test.each([
      ['a range that ends before it begins', 3, 2, 'is below'],
      ['a range from 0', 0, 2, 'begin at 1'],
      ['a range beyond the head', 1, 6, 'no events beyond 5'],
    ])('refuses %s, with the cause', async (_what, start, end, cause) => {
      const stream = await filled(world, 5);
      await expect(node.committer.commit(stream, wanted(start, end))).rejects.toMatchObject({
        kind: 'rejected',
        message: expect.stringContaining(cause),
      });
      expect(await storedFor(node.pool, stream)).toEqual({ commitments: 0, chunks: 0 });
    });

    test('that does not exist can not be committed', async () => {
      await expect(node.committer.commit(newStream(world), wanted(1, 1))).rejects.toMatchObject({
        message: 'the stream has no events',
      });
    });

    test('with a hole is not committed', async () => {
      const stream = await filled(world, 5_000);
      await tamper(node.pool, stream, 4_500, 'delete from EVENTS');
      await expect(node.committer.commit(stream, wanted(1, 5_000))).rejects.toMatchObject({
        kind: 'rejected',
        message: "of the 904 events 4097..5000 1 are missing, so 1..5000 can't be committed",
      });
      expect(node.refusals).toHaveLength(1);
      expect(await storedFor(node.pool, stream)).toEqual({ commitments: 0, chunks: 0 });
    });

    test('is not committed beyond its head, whatever rows there are', async () => {
      const stream = await filled(world, 5);
      await node.pool.query(
        `update streams set ${worldColumns[world].head} = 3 where tenant_id = $1 and store_id = $2`,
        [stream.tenantId, stream.storeId],
      );
      await expect(node.committer.commit(stream, wanted(1, 5))).rejects.toMatchObject({ kind: 'rejected' });
    });

    test('with a flipped bit in a leaf is not committed', async () => {
      const stream = await filled(world, 20);
      await tamper(node.pool, stream, 13, flipped('leaf_hash'));
      await expect(node.committer.commit(stream, wanted(1, 20))).rejects.toMatchObject({
        kind: 'corrupt',
        message: 'the stored leaf of event 13 does not follow from the event',
      });
      expect(node.refusals).toHaveLength(1);
      expect(await storedFor(node.pool, stream)).toEqual({ commitments: 0, chunks: 0 });
      const intact = await node.committer.commit(stream, wanted(1, 12));
      expect(intact.sequenceEnd).toBe(12);
    });

    test('is not committed when hashing goes wrong once', async () => {
      const stream = await filled(world, 5_000);
      let hashes = 0;
      const faulty = await openCommitmentNode(database.url, {
        sha256: (message) => {
          const hash = nodeSha256(message);
          hashes += 1;
          if (hashes === 3_000) hash[0]! ^= 1;
          return hash;
        },
      });
      await expect(faulty.committer.commit(stream, wanted(1, 5_000))).rejects.toMatchObject({
        kind: 'corrupt',
        message: 'the root over 1..5000 comes out in two ways',
      });
      expect(faulty.refusals).toHaveLength(1);
      await faulty.close();
      expect(await storedFor(node.pool, stream)).toEqual({ commitments: 0, chunks: 0 });
    });

    const covered = world === 'legacy' ? ['payload_hash'] : ['signing_hash', 'agent_signature'];
    test.each(covered)('with a flipped bit in %s is not committed', async (column) => {
      const stream = await filled(world, 3);
      await tamper(node.pool, stream, 2, flipped(column));
      await expect(node.committer.commit(stream, wanted(1, 3))).rejects.toMatchObject({ kind: 'corrupt' });
    });

    test('with a leaf that changed after the commitment gives no proof of it', async () => {
      const stream = await filled(world, 9);
      const made = await node.committer.commit(stream, wanted(1, 9));
      await tamper(node.pool, stream, 5, flipped('leaf_hash'));
      for (const sequence of [5, 6]) {
        await expect(node.reader.prove(made, sequence as Sequence)).rejects.toMatchObject({
          kind: 'corrupt',
        });
      }
      await tamper(node.pool, stream, 5, flipped('leaf_hash'));
      await expect(node.reader.prove(made, 5 as Sequence)).resolves.toMatchObject({ leafIndex: 4 });
    });

    test('with a stored node that changed gives no proof that needs it', async () => {
      const stream = await filled(world, 80);
      const made = await node.committer.commit(stream, wanted(1, 80));
      // The node above the first 32 leaves: the sibling of what is above the next 32.
      const bit = 8 * 32 * positionOf({ height: 5, index: 0 }, 80);
      const flip = `update commitment_nodes set nodes = set_bit(nodes, $2, 1 - get_bit(nodes, $2)) where batch_id = $1`;
      await node.pool.query(flip, [made.batchId, bit]);
      await expect(node.reader.prove(made, 33 as Sequence)).rejects.toMatchObject({ kind: 'corrupt' });
      await expect(node.reader.prove(made, 1 as Sequence)).resolves.toMatchObject({ leafIndex: 0 });
      await node.pool.query('delete from commitment_nodes where batch_id = $1', [made.batchId]);
      await expect(node.reader.prove(made, 65 as Sequence)).rejects.toMatchObject({ kind: 'corrupt' });
    });

    test('whose connection is killed in the middle has no commitment', async () => {
      const stream = await filled(world, 40);
      const cut = node.commitments.commit(stream, 'wait', async (transaction) => {
        const { pid } = (await findIdleTransaction(other.pool))!;
        await other.pool.query('select pg_terminate_backend($1)', [pid]);
        await until('the session is gone', async () => (await findIdleTransaction(other.pool)) === null);
        return transaction.readLeaves(1 as Sequence, 40 as Sequence);
      });
      await expect(cut).rejects.toMatchObject({ kind: 'pushback' });
      expect(await storedFor(node.pool, stream)).toEqual({ commitments: 0, chunks: 0 });
      await expect(node.committer.commit(stream, wanted(1, 40))).resolves.toMatchObject({ leafCount: 40 });
    });

    test('whose work fails after it stored nodes keeps none of them', async () => {
      const stream = await filled(world, 40);
      const failing = node.commitments.commit(stream, 'wait', async (transaction) => {
        await transaction.addNodes(stream.tenantId, 0, new Uint8Array(64));
        throw new Error('killed');
      });
      await expect(failing).rejects.toThrow('killed');
      const { rows } = await node.pool.query('select from commitment_nodes where batch_id = $1', [
        stream.tenantId,
      ]);
      expect(rows).toEqual([]);
    });

    test('that several nodes commit in ranges of their own ends up with one chain', async () => {
      const stream = await filled(world, 60);
      const tries = Array.from({ length: 12 }, (_, index) =>
        (index % 2 === 0 ? node : other).committer.commit(
          stream,
          wanted(1 + 5 * (index % 6), 5 * (index % 6) + 5),
        ),
      );
      await Promise.allSettled(tries);
      const made = await node.commitments.listUnanchored(stream, { after: null, limit: 100 });
      expect(made.length).toBeGreaterThan(0);
      made.forEach((one, index) => {
        expect(brokenLink(made[index - 1] ?? null, one, nodeSha256)).toBeNull();
      });
    });

    test('that is being committed elsewhere is skipped by who does not want to wait', async () => {
      const stream = await filled(world, 5);
      const due = { ...stream, committedTo: 0, isAged: true };
      const outcome = await node.commitments.commit(stream, 'wait', () => other.committer.commitDue(due, 10));
      expect(outcome).toBeNull();
      await expect(other.committer.commitDue(due, 10)).resolves.toMatchObject({ sequenceEnd: 5 });
    });
  });

  test('the same VES range, committed by two nodes at once, is one commitment', async () => {
    const stream = await filled('ves', 200);
    const both = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? node : other).committer.commit(stream, wanted(1, 200)),
      ),
    );
    expect(new Set(both.map(({ batchId }) => batchId)).size).toBe(1);
    expect(await storedFor(node.pool, stream)).toEqual({ commitments: 1, chunks: 1 });
  });

  test('the same legacy range, committed by two nodes at once, is one commitment and a refusal', async () => {
    const stream = await filled('legacy', 200);
    const both = await Promise.allSettled(
      [node, other].map(({ committer }) => committer.commit(stream, wanted(1, 200))),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({
      message: expect.stringContaining('1..200 is committed already'),
    });
    expect(await storedFor(node.pool, stream)).toEqual({ commitments: 1, chunks: 1 });
  });

  test('a commitment whose answer is lost is reported as unknown, and is there', async () => {
    const stream = await filled('ves', 10);
    const proxy = await TcpProxy.open(database.url);
    const distant = await openCommitmentNode(proxy.url);
    try {
      const commit = distant.commitments.commit.bind(distant.commitments);
      distant.commitments.commit = (of, whenBusy, work) =>
        commit(of, whenBusy, async (transaction) => {
          const result = await work(transaction);
          proxy.fallSilent();
          return result;
        });
      const lost = distant.committer.commit(stream, wanted(1, 10));
      lost.catch(() => undefined);
      await until('it is stored', async () => (await storedFor(node.pool, stream)).commitments === 1);
      proxy.goDown();
      await expect(lost).rejects.toMatchObject({ kind: 'unknown', code: 'COMMITMENT_OUTCOME_UNKNOWN' });
      await expect(node.committer.commit(stream, wanted(1, 10))).resolves.toMatchObject({ leafCount: 10 });
    } finally {
      await distant.close();
      await proxy.close();
    }
  });

  test('the legacy state root covers the exact versions of all entities, counted or not, of both worlds', async () => {
    const stream = newStream('legacy');
    await fillStream(node.pool, stream, 6_000, { entities: 5_500 });
    await fillStream(node.pool, { ...stream, world: 'ves' }, 500, { entities: 70 });
    const { rows } = await node.pool.query<{ store_number: string }>(
      'select store_number from streams where tenant_id = $1',
      [stream.tenantId],
    );
    const storeNumber = Number(rows[0]!.store_number);
    const versions = new Map<string, number>();
    const count = (sequence: number, entities: number): void => {
      const key = `type${sequence % 3}|entity-${sequence % entities}`;
      versions.set(key, (versions.get(key) ?? 0) + 1);
    };
    for (let sequence = 1; sequence <= 6_000; sequence++) count(sequence, 5_500);
    for (let sequence = 1; sequence <= 500; sequence++) count(sequence, 70);
    const entities = [...versions].map(([key, version]): EntityState => {
      const [entityType, entityId] = key.split('|') as [string, string];
      return { entityType, entityId, version: version as EntityVersion };
    });
    const expected = toHex(legacyStateRoot(stream, entities, nodeSha256));

    const uncounted = await node.committer.commit(stream, wanted(1, 10));
    await send(node.pool, startWatermark, { storeNumber });
    await send(node.pool, countEntities, { storeNumber, eventsMax: 4_000 });
    const partlyCounted = await node.committer.commit(stream, wanted(11, 20));
    expect(toHex(uncounted.stateRoot)).toBe(expected);
    expect(toHex(partlyCounted.stateRoot)).toBe(expected);
  });

  test('entities are ordered by their bytes', async () => {
    const stream = await filled('legacy', 6);
    const names: [string, string][] = [
      ['b', 'a'],
      ['a', '\u{ffff}'],
      ['a', '\u{10000}'],
      ['a', 'é'],
      ['B', 'Z'],
      ['a', 'ab'],
    ];
    for (const [index, [entityType, entityId]] of names.entries()) {
      await node.pool.query(
        `update legacy_events e set entity_type = $3, entity_id = $4
           from streams s where s.store_number = e.store_number and s.tenant_id = $1 and sequence = $2`,
        [stream.tenantId, index + 1, entityType, entityId],
      );
    }
    await node.pool.query(
      `update legacy_events e set leaf_hash = ${worldColumns.legacy.leafOf('uuid_send(tenant_id) || uuid_send(store_id)')}
         from streams s where s.store_number = e.store_number and s.tenant_id = $1`,
      [stream.tenantId],
    );
    const { stateRoot } = await node.committer.commit(stream, wanted(1, 6));
    const entities = names.map(([entityType, entityId]) => ({
      entityType,
      entityId,
      version: 1 as EntityVersion,
    }));
    expect(toHex(stateRoot)).toBe(toHex(legacyStateRoot(stream, entities, nodeSha256)));
  });
});

/** The session that waits inside a transaction, as a commitment does between two of its statements. */
async function findIdleTransaction(pool: pg.Pool): Promise<{ pid: number } | null> {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
  );
  return rows[0] ?? null;
}
