import { createServer } from 'node:net';
import pino from 'pino';
import { systemClock } from '../../services/system-clock.ts';
import { awaitServer, refuseUnfit } from '../../storage/postgres/await-server.ts';
import type { SessionOptions } from '../../storage/postgres/session.ts';
import { createTestDatabase, serverNames } from '../support/postgres.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import { findPostgresPrograms } from '../support/postgres-programs.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const sessionTo = (url: string): SessionOptions => ({
  url,
  applicationName: 'stateset-sequencer',
  connectTimeoutMs: 2_000,
  statementTimeoutMs: 5_000,
  idleInTransactionTimeoutMs: 5_000,
  lockTimeoutMs: 5_000,
});
const options = {
  retriesMax: 0,
  retryDelayMs: 20,
  clock: systemClock,
  log: pino({ level: 'silent' }),
};

test.each(serverNames)('a server that keeps its commits is accepted (%s)', async (server) => {
  const database = await createTestDatabase(server);
  await expect(awaitServer({ ...options, session: sessionTo(database.url) })).resolves.toBeUndefined();
  await database.drop();
});

test.each(['fsync', 'full_page_writes'])(
  'a server with %s off is refused with the way out',
  async (setting) => {
    const programs = findPostgresPrograms('embedded');
    const server = await startPostgresServer(programs, [`${setting}=off`]);
    try {
      await expect(awaitServer({ ...options, session: sessionTo(server.url) })).rejects.toMatchObject({
        code: 'LOG_UNFIT',
        message: expect.stringContaining(`set ${setting} = on`),
      });
    } finally {
      await server.stop();
      programs.remove();
    }
  },
);

test('a server before version 15 and a standby are refused', () => {
  const good = {
    versionNumber: 150_000,
    version: '15.0',
    fsync: true,
    fullPageWrites: true,
    isStandby: false,
    statementTimeoutMs: 5_000,
  };
  expect(() => refuseUnfit(good)).not.toThrow();
  expect(() => refuseUnfit({ ...good, versionNumber: 140_009, version: '14.9' })).toThrow(
    'version 15 or newer',
  );
  expect(() => refuseUnfit({ ...good, isStandby: true })).toThrow('primary');
});

test('a server that comes up late is waited for', async () => {
  const database = await createTestDatabase();
  const proxy = await TcpProxy.open(database.url);
  proxy.goDown();
  setTimeout(() => proxy.goUp(), 200);
  await expect(
    awaitServer({ ...options, session: sessionTo(proxy.url), retriesMax: 100 }),
  ).resolves.toBeUndefined();
  await proxy.close();
  await database.drop();
});

test('a server that never answers fails the start after the last try', async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await expect(awaitServer({ ...options, session: sessionTo(url), retriesMax: 2 })).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a pooler is noticed by what it does to our settings, and the message says what to set', async () => {
  const database = await createTestDatabase('debian');
  try {
    for (const settings of [[], ['ignore_startup_parameters = options']]) {
      const bouncer = await startPgBouncer(database.url, settings);
      try {
        await expect(awaitServer({ ...options, session: sessionTo(bouncer.url) })).rejects.toMatchObject({
          code: 'LOG_UNFIT',
          message: expect.stringContaining('set DATABASE_POOLER=transaction'),
        });
        const session = { ...sessionTo(bouncer.url), pooler: 'transaction' } as const;
        await expect(awaitServer({ ...options, session })).resolves.toBeUndefined();
      } finally {
        await bouncer.stop();
      }
    }
  } finally {
    await database.drop();
  }
});
