import type pg from 'pg';
import pino from 'pino';
import { LeaderElection } from '../../services/leadership/leader-election.ts';
import { Retention } from '../../services/retention/retention.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { Lease, LeaseHolder, Leases } from '../../storage/leases.ts';
import { postgresLeases } from '../../storage/postgres/leases.ts';
import { createPool } from '../../storage/postgres/pool.ts';
import { deleteRejectedEvents } from '../../storage/postgres/queries/delete-rejected-events.query.ts';
import { read } from '../../storage/postgres/query.ts';
import { deleteExpiredRequests } from '../../storage/postgres/tenant-erasure.ts';
import { uuid } from '../support/events.ts';
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const log = pino({ level: 'silent' });
const leaseMs = 2_400;

let database: TestDatabase;
let bouncer: PgBouncer;
const pools: pg.Pool[] = [];

beforeAll(async () => {
  database = await createTestDatabase('debian');
  bouncer = await startPgBouncer(database.url, ['default_pool_size = 3']);
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await bouncer.stop();
  await database.drop();
});
beforeEach(async () => {
  await openPool('none').query('delete from leader_leases');
});

function openPool(pooler: 'none' | 'transaction'): pg.Pool {
  const pool = createPool({
    url: pooler === 'none' ? database.url : bouncer.url,
    pooler,
    applicationName: 'leases test',
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
    connectionsMax: 4,
    connectionsMin: 0,
    acquireTimeoutMs: 5_000,
    idleTimeoutMs: 10_000,
    lifetimeMaxMs: 60_000,
    log,
  });
  pools.push(pool);
  return pool;
}

function holder(number: number): LeaseHolder {
  return { nodeId: `node-${number}`, instanceId: uuid(number) };
}

describe.each(['none', 'transaction'] as const)('leases with the pooler "%s"', (pooler) => {
  let leases: Leases;
  beforeAll(() => {
    leases = postgresLeases(openPool(pooler));
  });
  const hold = (number: number): Promise<Lease> => leases.hold('commitments', holder(number), leaseMs);

  test('of twenty that take it at once one gets it, and all are told who', async () => {
    const seen = await Promise.all(Array.from({ length: 20 }, (_, index) => hold(index)));
    expect(new Set(seen.map(({ nodeId }) => nodeId)).size).toBe(1);
    expect(seen[0]).toMatchObject({ term: 1 });
  });

  test('it is renewed in its term, and goes to another in the next one when it is over', async () => {
    expect(await hold(1)).toMatchObject({ nodeId: 'node-1', term: 1 });
    const refused = await hold(2);
    expect(refused).toMatchObject({ nodeId: 'node-1', term: 1 });
    expect(refused.leftMs).toBeGreaterThan(0);
    expect(refused.leftMs).toBeLessThanOrEqual(leaseMs);
    expect(await hold(1)).toMatchObject({ nodeId: 'node-1', term: 1 });
    await until('it is over', async () => (await hold(2)).nodeId === 'node-2');
    expect(await hold(1)).toMatchObject({ nodeId: 'node-2', term: 2 });
  });

  test('one that is given up is free at once, and only its holder can give it up', async () => {
    await hold(1);
    await leases.release('commitments', holder(2));
    expect(await hold(2)).toMatchObject({ nodeId: 'node-1' });
    await leases.release('commitments', holder(1));
    expect(await hold(2)).toMatchObject({ nodeId: 'node-2', term: 2 });
  });

  test('roles have nothing to do with each other, nor have processes of one name', async () => {
    await hold(1);
    const other = { nodeId: 'node-1', instanceId: uuid(9) };
    expect(await leases.hold('retention', holder(2), leaseMs)).toMatchObject({ nodeId: 'node-2' });
    expect(await leases.hold('commitments', other, leaseMs)).toMatchObject({ instanceId: uuid(1) });
  });
});

/** A candidate whose way to the database can be cut, as a frozen or cut-off node's is. */
class Candidate {
  readonly changes: string[] = [];
  isRunning = false;
  isCutOff = false;
  readonly election: LeaderElection;

  constructor(number: number) {
    const leases = postgresLeases(openPool('transaction'));
    const cut = (): void => {
      if (this.isCutOff) throw new Error('the database is out of reach');
    };
    this.election = new LeaderElection({
      role: 'commitments',
      holder: holder(number),
      leases: {
        hold: async (...given) => (cut(), leases.hold(...given)),
        release: async (...given) => (cut(), leases.release(...given)),
      },
      job: {
        start: () => void (this.isRunning = true),
        stop: () => Promise.resolve(void (this.isRunning = false)),
      },
      leaseMs,
      clock: systemClock,
      random: Math.random,
      log,
      onChange: (change) => this.changes.push(change),
    });
  }
}

describe('an election', () => {
  let candidates: Candidate[];
  const running = (): Candidate[] => candidates.filter(({ isRunning }) => isRunning);
  const onlyLeader = async (): Promise<Candidate> => {
    await until('one leads', () => running().length === 1);
    return running()[0]!;
  };

  beforeEach(() => {
    candidates = [1, 2, 3].map((number) => new Candidate(number));
    for (const { election } of candidates) election.start();
  });
  afterEach(async () => {
    await Promise.all(candidates.map(({ election }) => election.stop()));
    expect(running()).toEqual([]);
  });

  test('has one leader, of whom all know', async () => {
    const leader = await onlyLeader();
    const { leader: nodeId } = leader.election.report;
    await until('all know', () => candidates.every(({ election }) => election.report.leader === nodeId));
    expect(candidates.map(({ election }) => election.report.leads).filter(Boolean)).toHaveLength(1);
    expect(leader.changes).toEqual(['won']);
  });

  test('replaces a leader that is cut off when its lease is over; that one has stopped by then', async () => {
    const leader = await onlyLeader();
    leader.isCutOff = true;
    await until('another leads', () => running().some((other) => other !== leader));
    expect(leader.isRunning).toBe(false);
    expect(leader.changes).toEqual(['won', 'lost']);
    leader.isCutOff = false;
    await until('it knows', () => leader.election.report.leader !== null && !leader.election.report.leads);
    expect(running()).toHaveLength(1);
  });

  test('hands over at once when the leader stops and says so', async () => {
    const leader = await onlyLeader();
    await leader.election.stop();
    const stoppedMs = performance.now();
    for (const other of candidates) other.election.hint();
    await until('another leads', () => running().length === 1);
    expect(performance.now() - stoppedMs).toBeLessThan(leaseMs / 2);
    expect(leader.changes).toEqual(['won', 'released']);
  });
});

test('records of refused events are deleted when they are old enough, as many as there are', async () => {
  const pool = openPool('none');
  await pool.query(
    `insert into rejected_events_log (store_number, original_sequence, original_event_id, entity_type, entity_id,
                                      event_type, reason_code, reason, rejected_at)
     select 1, n, gen_random_uuid(), 'order', 'A', 'order.created', 'x', 'x',
            now() - case when n <= 2500 then interval '31 days' else interval '29 days' end
       from generate_series(1, 2600) n`,
  );
  let deleted = 0;
  const retention = new Retention({
    rules: [
      {
        rows: 'records of refused events',
        deleteSome: async (rowsMax) =>
          (await read(pool, deleteRejectedEvents, { olderThanDays: 30, rowsMax })).length,
        onDeleted: (rows) => (deleted += rows),
      },
    ],
    clock: systemClock,
    log,
  });
  retention.start();
  await until('they are deleted', () => deleted === 2_500);
  await retention.stop();
  const { rows } = await pool.query('select min(original_sequence) as first from rejected_events_log');
  expect(rows).toEqual([{ first: '2501' }]);
});

test('a rule that fails does not keep the next from its turn, and requests of an erasure go when their time is up', async () => {
  const pool = openPool('none');
  await pool.query(
    `insert into erasure_requests (tenant_id, token_hash, expires_at)
     select gen_random_uuid(), sha256(n::text::bytea), now() + case when n <= 3 then interval '-1 s' else interval '1 min' end
       from generate_series(1, 5) n`,
  );
  let deleted = 0;
  const retention = new Retention({
    rules: [
      { rows: 'rows of a table that is locked', deleteSome: () => Promise.reject(new Error('locked')) },
      {
        rows: 'requests of an erasure',
        deleteSome: (rowsMax) => deleteExpiredRequests(pool, rowsMax),
        onDeleted: (rows) => (deleted += rows),
      },
    ],
    clock: systemClock,
    log,
  });
  retention.start();
  await until('they are deleted', () => deleted === 3);
  await retention.stop();
  const { rows } = await pool.query('select expires_at > now() as is_good from erasure_requests');
  expect(rows).toEqual([{ is_good: true }, { is_good: true }]);
});
