import { ServiceBroker } from 'moleculer';
import { verifyInclusion } from '../../domain/merkle/inclusion-proof.ts';
import type { Sequence, World } from '../../domain/types.ts';
import { readError } from '../../services/broker-errors.ts';
import { CommitmentReader } from '../../services/commitment/commitment-reader.ts';
import {
  type CommitmentClient,
  commitmentClient,
  commitmentService,
} from '../../services/commitment/commitment.service.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { CommitmentLog } from '../../storage/commitment-log.ts';
import {
  type CommitmentNode,
  fillStream,
  newStream,
  openCommitmentNode,
  wanted,
  worlds,
} from '../support/commitments.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let node: CommitmentNode;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await openCommitmentNode(database.url);
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

describe('commitment.create, called from another node', () => {
  let maker: ServiceBroker;
  let caller: ServiceBroker;
  let client: CommitmentClient;
  beforeAll(async () => {
    const options = { logger: false, transporter: 'Fake', namespace: 'commitments' } as const;
    maker = new ServiceBroker({ ...options, nodeID: 'maker' });
    caller = new ServiceBroker({ ...options, nodeID: 'caller' });
    maker.createService(commitmentService({ committer: node.committer }));
    await Promise.all([maker.start(), caller.start()]);
    await caller.waitForServices('commitment');
    client = commitmentClient(caller, 5_000);
  });
  afterAll(async () => {
    await Promise.all([maker.stop(), caller.stop()]);
  });

  test.each(worlds)('makes a commitment of a %s range', async (world) => {
    const stream = newStream(world);
    await fillStream(node.pool, stream, 7);
    const { batchId } = await client.create({ ...stream, sequenceStart: '1', sequenceEnd: '7' }, 5_000);
    await expect(node.reader.find(world, batchId)).resolves.toMatchObject({ ...stream, leafCount: 7 });
  });

  test('carries the cause of a refusal, and the kind of a contradiction', async () => {
    const stream = newStream('ves');
    await fillStream(node.pool, stream, 7);
    const beyond = client.create({ ...stream, sequenceStart: '1', sequenceEnd: '8' }, 5_000);
    await expect(beyond.catch(readError)).resolves.toMatchObject({
      kind: 'rejected',
      code: 'INVALID_FIELD_VALUE',
      message: "the stream has no events beyond 7, so 1..8 can't be committed",
    });
    await node.pool.query(
      `update ves_events set leaf_hash = sha256('') where sequence = 2
          and store_number = (select store_number from streams where tenant_id = $1)`,
      [stream.tenantId],
    );
    const wrong = client.create({ ...stream, sequenceStart: '1', sequenceEnd: '7' }, 5_000);
    await expect(wrong.catch(readError)).resolves.toMatchObject({ kind: 'corrupt' });
  });

  test.each([
    ['no parameters', undefined],
    ['another world', { world: 'both' }],
    ['no tenant', { tenantId: undefined }],
    ['a store that is no UUID', { storeId: 'x' }],
    ['a number', { sequenceStart: 1 }],
    ['a sign', { sequenceEnd: '-1' }],
    ['too many digits', { sequenceEnd: '1'.repeat(1_000) }],
  ])('refuses %s', async (_what, change) => {
    const params = { ...newStream('ves'), sequenceStart: '1', sequenceEnd: '1', ...change };
    const call = caller.call('commitment.create', change === undefined ? undefined : params);
    await expect(call.catch(readError)).resolves.toMatchObject({ kind: 'rejected' });
  });
});

describe.each(worlds)('a reader of %s commitments', (world: World) => {
  function open(limits: Partial<Record<'proofsMax' | 'commitmentTtlMs' | 'proofTtlMs', number>> = {}) {
    const reads: string[] = [];
    const counted: Pick<CommitmentLog, 'find' | 'readTree'> = {
      find: (...args) => {
        reads.push('find');
        return node.commitments.find(...args);
      },
      readTree: (...args) => {
        reads.push('readTree');
        return node.commitments.readTree(...args);
      },
    };
    const clock = new ManualClock();
    clock.advance(1); // To lru-cache, time 0 is no time.
    const caches = { commitmentsMax: 2, proofsMax: 2, commitmentTtlMs: 1_000, proofTtlMs: 1_000, ...limits };
    const reader = new CommitmentReader({
      log: { ...rest(node.commitments), ...counted },
      sha256: nodeSha256,
      clock,
      caches: { legacy: caches, ves: caches },
    });
    return { reader, reads, clock };
  }

  function rest(
    log: CommitmentLog,
  ): Pick<CommitmentLog, 'listFrom' | 'listUnanchored' | 'listPending' | 'recordAnchor'> {
    return {
      listFrom: (...args) => log.listFrom(...args),
      listUnanchored: (...args) => log.listUnanchored(...args),
      listPending: (...args) => log.listPending(...args),
      recordAnchor: (...args) => log.recordAnchor(...args),
    };
  }

  async function made(events = 5) {
    const stream = newStream(world);
    await fillStream(node.pool, stream, events);
    return node.committer.commit(stream, wanted(1, events));
  }

  test('reads a proof once while it is kept, and again afterwards', async () => {
    const commitment = await made();
    const { reader, reads, clock } = open();
    const first = await reader.prove(commitment, 3 as Sequence);
    expect(await reader.prove(commitment, 3 as Sequence)).toEqual(first);
    expect(reads).toEqual(['readTree']);
    clock.advance(2_000);
    expect(await reader.prove(commitment, 3 as Sequence)).toEqual(first);
    expect(reads).toHaveLength(2);
  });

  test('reads once for neighbours, each of which gets the proof of its own leaf', async () => {
    const commitment = await made(80);
    const { reader, reads } = open({ proofsMax: 3 });
    for (let sequence = 1; sequence <= 80; sequence++) {
      const proof = await reader.prove(commitment, sequence as Sequence);
      expect(proof.leafIndex).toBe(sequence - 1);
      const { leafCount, root } = commitment;
      expect(verifyInclusion(world, { ...proof, root }, leafCount, nodeSha256)).toBe(true);
    }
    expect(reads).toHaveLength(3);
    expect(reader.figures(world).proofs).toMatchObject({ hits: 77, misses: 3, size: 3 });
  });

  test('keeps no more than it may', async () => {
    const commitment = await made(80);
    const { reader, reads } = open();
    for (const sequence of [1, 33, 65, 1]) await reader.prove(commitment, sequence as Sequence);
    expect(reads).toHaveLength(4);
  });

  test('asks for a commitment every time until it is anchored, and what is frozen once', async () => {
    const { batchId } = await made();
    const { reader, reads } = open();
    await reader.find(world, batchId);
    await reader.find(world, batchId);
    await reader.findFrozen(world, batchId);
    expect(reads).toEqual(['find', 'find']);
    expect(reader.figures(world).commitments).toMatchObject({ hits: 1, misses: 2 });
    await reader.recordAnchor(world, batchId, {
      txHash: nodeSha256(Buffer.of(1)),
      chainId: 1,
      blockNumber: 2,
    });
    await reader.find(world, batchId);
    const anchored = await reader.find(world, batchId);
    expect(anchored).toMatchObject({ anchor: { chainId: 1, blockNumber: 2 } });
    expect(reads).toHaveLength(3);
  });

  test('keeps nothing of a commitment that does not exist yet', async () => {
    const { reader, reads } = open();
    const { batchId } = await made();
    const other = world === 'ves' ? 'legacy' : 'ves';
    expect(await reader.find(other, batchId)).toBeNull();
    expect(await reader.findFrozen(other, batchId)).toBeNull();
    expect(reads).toHaveLength(2);
  });
});
