import pg from 'pg';
import { insuredPoints } from '../../services/limits/insured-points.ts';
import { memoryPoints } from '../../storage/memory/memory-points.ts';
import { postgresPoints } from '../../storage/postgres/shared-points.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

describe.each(serverNames)('counts in Postgres (%s)', (server) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    pool = new pg.Pool({ connectionString: database.url });
    pool.on('error', () => undefined);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  test('add up over all nodes', async () => {
    const nodes = [postgresPoints(pool), postgresPoints(pool)];
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, turn) => nodes[turn % 2]!.consume('tenant:a', 5, 60_000)),
    );
    expect(taken.map(({ consumed }) => consumed).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, turn) => (turn + 1) * 5),
    );
    for (const { resetInMs } of taken) {
      expect(resetInMs).toBeGreaterThan(50_000);
      expect(resetInMs).toBeLessThanOrEqual(60_000);
    }
  });

  test('start anew when the window is over', async () => {
    const points = postgresPoints(pool);
    expect((await points.consume('tenant:b', 3, 100)).consumed).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await points.consume('tenant:b', 2, 100)).consumed).toBe(2);
  });

  test('hold what a limit may be', async () => {
    const points = postgresPoints(pool);
    await points.consume('tenant:c', 1_000_000_000, 60_000);
    expect((await points.consume('tenant:c', 1_000_000_000, 60_000)).consumed).toBe(2_000_000_000);
  });
});

test('while Postgres does not answer a node counts by itself, and comes back afterwards', async () => {
  const database = await createTestDatabase();
  const proxy = await TcpProxy.open(database.url);
  const pool = new pg.Pool({ connectionString: proxy.url });
  pool.on('error', () => undefined);
  const warnings: unknown[] = [];
  const points = insuredPoints({
    shared: postgresPoints(pool),
    local: memoryPoints(),
    log: { warn: (...warning: unknown[]) => void warnings.push(warning.at(-1)) },
    timeoutMs: 200,
    pauseMs: 3_000,
  });
  try {
    await points.consume('a', 10, 60_000);
    proxy.fallSilent();
    expect((await points.consume('a', 1, 60_000)).consumed).toBe(1);
    expect((await points.consume('a', 1, 60_000)).consumed).toBe(2);
    expect(warnings).toHaveLength(1);
    proxy.goDown();
    expect((await points.consume('a', 1, 60_000)).consumed).toBe(3);
    proxy.speak();
    proxy.goUp();
    await until(
      'the shared count is back',
      async () => (await points.consume('a', 0, 60_000)).consumed >= 10,
    );
  } finally {
    await pool.end();
    await proxy.close();
    await database.drop();
  }
});
