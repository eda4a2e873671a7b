import pino from 'pino';
import { brokenLink } from '../../domain/commitment.ts';
import type { StreamKey } from '../../domain/types.ts';
import {
  AutomaticCommitments,
  type AutomaticCommitmentsDependencies,
} from '../../services/commitment/automatic-commitments.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { StoredCommitment } from '../../storage/commitment-log.ts';
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

describe.each(serverNames)('on %s Postgres', (server) => {
  let database: TestDatabase;
  let node: CommitmentNode;
  let other: CommitmentNode;
  const running: AutomaticCommitments[] = [];

  // A database for each test: what is due in one is nobody's business in another.
  beforeEach(async () => {
    database = await createTestDatabase(server);
    node = await openCommitmentNode(database.url);
    other = await openCommitmentNode(database.url);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((automatic) => automatic.stop()));
    await Promise.all([node.close(), other.close()]);
    await database.drop();
  });

  function run(
    on: CommitmentNode,
    rule: Partial<Pick<AutomaticCommitmentsDependencies, 'everyEvents' | 'everySecs'>>,
  ): AutomaticCommitments {
    const automatic = new AutomaticCommitments({
      log: on.commitments,
      committer: on.committer,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      everyEvents: null,
      everySecs: null,
      ...rule,
    });
    running.push(automatic);
    automatic.start();
    return automatic;
  }

  async function committed(stream: StreamKey): Promise<StoredCommitment[]> {
    return node.commitments.listUnanchored(stream, { after: null, limit: 1_000 });
  }

  async function isCommittedTo(stream: StreamKey, end: number): Promise<void> {
    await until(`${stream.world} is committed to ${end}`, async () => {
      return (await committed(stream)).at(-1)?.sequenceEnd === end;
    });
  }

  async function rangesOf(stream: StreamKey): Promise<string[]> {
    const made = await committed(stream);
    made.forEach((one, index) => {
      expect(brokenLink(made[index - 1] ?? null, one, nodeSha256)).toBeNull();
    });
    return made.map(({ sequenceStart, sequenceEnd }) => `${sequenceStart}..${sequenceEnd}`);
  }

  test.each(worlds)('a %s stream is committed whenever it has enough new events', async (world) => {
    const stream = newStream(world);
    await fillStream(node.pool, stream, 25);
    run(node, { everyEvents: 10 });
    await isCommittedTo(stream, 20);
    await fillStream(node.pool, stream, 6);
    await isCommittedTo(stream, 30);
    expect(await rangesOf(stream)).toEqual(['1..10', '11..20', '21..30']);
  });

  test('a stream is committed when its oldest new event is old enough', async () => {
    const old = newStream('ves');
    const young = newStream('legacy');
    await fillStream(node.pool, old, 5, { ageSecs: 3_600 });
    await fillStream(node.pool, young, 5);
    run(node, { everySecs: 600 });
    await isCommittedTo(old, 5);
    expect(await rangesOf(old)).toEqual(['1..5']);
    expect(await rangesOf(young)).toEqual([]);
  });

  test('number and age together: full ranges at once, the rest when it is old', async () => {
    const stream = newStream('ves');
    await fillStream(node.pool, stream, 12, { ageSecs: 3_600 });
    run(node, { everyEvents: 5, everySecs: 600 });
    await isCommittedTo(stream, 12);
    expect(await rangesOf(stream)).toEqual(['1..5', '6..10', '11..12']);
  });

  test('by age alone, what gathered in an outage is caught up with in ranges of 1024', async () => {
    const stream = newStream('legacy');
    await fillStream(node.pool, stream, 5_000, { ageSecs: 3_600 });
    run(node, { everySecs: 60 });
    await isCommittedTo(stream, 5_000);
    const ranges = ['1..1024', '1025..2048', '2049..3072', '3073..4096', '4097..5000'];
    expect(await rangesOf(stream)).toEqual(ranges);
  });

  test('it goes on where a commitment that was asked for ended', async () => {
    const stream = newStream('ves');
    await fillStream(node.pool, stream, 20);
    await node.committer.commit(stream, wanted(3, 7));
    run(node, { everyEvents: 5 });
    await isCommittedTo(stream, 17);
    expect(await rangesOf(stream)).toEqual(['3..7', '8..12', '13..17']);
  });

  test('two nodes share the work, and none is done twice', async () => {
    const streams = Array.from({ length: 10 }, (_, index) => newStream(worlds[index % 2]!));
    for (const stream of streams) await fillStream(node.pool, stream, 100);
    run(node, { everyEvents: 10 });
    run(other, { everyEvents: 10 });
    for (const stream of streams) {
      await isCommittedTo(stream, 100);
      expect(await rangesOf(stream)).toHaveLength(10);
    }
  });

  test('a stream that can not be committed keeps no other from it', async () => {
    const broken = newStream('ves');
    const sound = newStream('ves');
    await fillStream(node.pool, broken, 10);
    await fillStream(node.pool, sound, 10);
    await node.pool.query(
      `delete from ves_events where sequence = 4
          and store_number = (select store_number from streams where tenant_id = $1)`,
      [broken.tenantId],
    );
    run(node, { everyEvents: 10 });
    await isCommittedTo(sound, 10);
    await fillStream(node.pool, sound, 10);
    await isCommittedTo(sound, 20);
    expect(await rangesOf(broken)).toEqual([]);
  });

  test('an outage of the database delays commitments by no more than itself', async () => {
    const proxy = await TcpProxy.open(database.url);
    const distant = await openCommitmentNode(proxy.url);
    const stream = newStream('ves');
    await fillStream(node.pool, stream, 600);
    run(distant, { everyEvents: 5 });
    await until('it began', async () => (await committed(stream)).length > 0);
    proxy.goDown();
    await fillStream(node.pool, stream, 10);
    proxy.goUp();
    await isCommittedTo(stream, 610);
    expect(await rangesOf(stream)).toHaveLength(122);
    await Promise.all(running.splice(0).map((automatic) => automatic.stop()));
    await distant.close();
    await proxy.close();
  });

  test('stopping ends with the commitment under way', async () => {
    const stream = newStream('legacy');
    await fillStream(node.pool, stream, 3_000);
    const automatic = run(node, { everyEvents: 10 });
    await until('it began', async () => (await committed(stream)).length > 0);
    await automatic.stop();
    const made = await rangesOf(stream);
    await fillStream(node.pool, stream, 100);
    expect(await rangesOf(stream)).toEqual(made);
    expect(made.length).toBeLessThan(300);
  });
});
