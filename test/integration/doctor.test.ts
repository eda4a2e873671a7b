import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startNatsServer } from '../../bin/driver/nats-server.ts';
import type { Finding } from '../../bin/doctor/finding.ts';
import { judgeClock } from '../../bin/doctor/judge-clock.ts';
import { migrate } from '../../storage/postgres/migrate.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { serverNames } from '../support/postgres.ts';
import { findPostgresPrograms } from '../support/postgres-programs.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { runCli } from '../support/run-cli.ts';

const env = { DATA_DIR: '/tmp' };

async function doctor(...args: string[]): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', ...args], env);
  if (stdout === '') throw new Error(stderr);
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

function levelOf(findings: readonly Finding[], what: RegExp): string {
  return findings
    .filter((finding) => what.test(finding.what))
    .map(({ level }) => level)
    .join();
}

const badSettings = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'autovacuum=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_connections=30',
  'wal_compression=on',
];

describe.each(serverNames)('the doctor at a badly kept Postgres (%s)', (name) => {
  test('names what is wrong, and what to do', async () => {
    const programs = findPostgresPrograms(name);
    const server = await startPostgresServer(programs, badSettings);
    const client = new pg.Client({ connectionString: server.url, application_name: 'forgotten' });
    try {
      await migrate({ url: server.url });
      await client.connect();
      await client.query('drop index legacy_events_entity');
      await client.query(
        `update pg_index set indisvalid = false where indexrelid = 'audit_log_time'::regclass`,
      );
      await client.query('create table full_of_dead as select generate_series(1, 20000) as number');
      await client.query('delete from full_of_dead');
      await client.query('select pg_stat_force_next_flush()');
      await client.query('begin');
      const { code, findings } = await doctor('--database-url', server.url);
      expect(code).toBe(1);
      for (const what of [
        /^fsync = off/,
        /^full_page_writes = off/,
        /^autovacuum = off/,
        /^max_connections = 30/,
        /^wal_level = minimal/,
        /legacy_events_entity is missing/,
        /audit_log_time of audit_log is invalid/,
      ]) {
        expect([what, levelOf(findings, what)]).toEqual([what, 'problem']);
      }
      expect(levelOf(findings, /^synchronous_commit = off/)).toBe('advice');
      expect(levelOf(findings, /^max_wal_size = 256 MB/)).toBe('advice');
      expect(levelOf(findings, /^wal_compression = pglz/)).toBe('advice');
      expect(levelOf(findings, /^full_of_dead has 20000 dead rows/)).toBe('advice');
      expect(levelOf(findings, /^the clock of Postgres/)).toBe('ok');
      expect(levelOf(findings, /the oldest open transaction/)).toBe('ok');
      for (const { level, change } of findings) expect(change === null).toBe(level === 'ok');
    } finally {
      await client.end();
      await server.stop();
      programs.remove();
    }
  });
});

describe('the doctor', () => {
  const nodes = new TestNodes();
  afterAll(() => nodes.stop());

  test('finds no problem where a node and its Postgres are as they should be', async () => {
    const programs = findPostgresPrograms('debian');
    const server = await startPostgresServer(programs);
    try {
      const node = await nodes.start({ DATABASE_URL: server.url });
      const { code, findings } = await doctor(
        '--database-url',
        server.url,
        '--server',
        node.url,
        '--key',
        adminKey,
      );
      expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
      expect(code).toBe(0);
      expect(levelOf(findings, /^the clock of the node/)).toBe('ok');
      expect(levelOf(findings, /the migrations of this version are applied/)).toBe('ok');
      expect(levelOf(findings, /events wait for a commitment/)).toBe('ok');
      await node.stop();
    } finally {
      await server.stop();
      programs.remove();
    }
  });

  test('looks at the node on this machine, with its embedded Postgres, where nothing has an address', async () => {
    const node = await nodes.start({});
    const { port } = new URL(node.url);
    const { code, stdout } = await runCli(['doctor'], { ...env, PORT: port });
    expect(stdout).toMatch(/^OK {7}the node at \S+ is ready$/m);
    expect(stdout).toMatch(/^Problems: 0, advice: \d+, in order: \d+\.$/m);
    expect(code).toBe(0);
    const refused = (await doctor('--server', node.url, '--key', 'ss_of_nobody')).findings;
    expect(levelOf(refused, /^\/health\/detailed answers 401/)).toBe('problem');
    await node.stop();
  });

  test('says who refuses connections', async () => {
    const { code, findings } = await doctor(
      ...['--server', 'http://127.0.0.1:1', '--nats-url', 'nats://127.0.0.1:1'],
      ...['--database-url', 'postgres://127.0.0.1:1/any'],
    );
    expect(code).toBe(1);
    expect(levelOf(findings, /^the node at .* does not answer/)).toBe('problem');
    expect(levelOf(findings, /^NATS does not let us in/)).toBe('problem');
    expect(levelOf(findings, /^the database does not answer/)).toBe('problem');
  });

  test('gives up on who accepts and says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      const { code, findings } = await doctor(
        ...['--server', `http://127.0.0.1:${port}`, '--nats-url', `nats://127.0.0.1:${port}`],
        ...['--database-url', `postgres://127.0.0.1:${port}/any`],
      );
      expect(code).toBe(1);
      expect(findings.filter(({ level }) => level === 'problem')).toHaveLength(3);
    } finally {
      silent.close();
    }
  });

  test('tells settings that no node could start with by its own exit code', async () => {
    const { code, stderr } = await runCli(['doctor'], { ...env, PORT: 'many' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('PORT')]);
  });

  test('says what is missing of NATS', async () => {
    const open = await startNatsServer();
    const closed = await startNatsServer({ extraArguments: ['--user', 'sequencer', '--pass', 'secret'] });
    const folder = mkdtempSync(join(tmpdir(), 'sequencer-doctor-'));
    const config = join(folder, 'nats.conf');
    writeFileSync(config, 'max_payload: 65536\n');
    const small = await startNatsServer({ extraArguments: ['--config', config] });
    try {
      const atOpen = (await doctor('--nats-url', open.url)).findings;
      expect(levelOf(atOpen, /NATS asks for no credentials/)).toBe('problem');
      expect(levelOf(atOpen, /NATS does not ask for TLS/)).toBe('advice');
      const url = closed.url.replace('nats://', 'nats://sequencer:secret@');
      expect(levelOf((await doctor('--nats-url', url)).findings, /NATS asks for credentials/)).toBe('ok');
      const atSmall = (await doctor('--nats-url', small.url)).findings;
      expect(levelOf(atSmall, /^max_payload of NATS is 65536 bytes/)).toBe('advice');
    } finally {
      await open.stop();
      await closed.stop();
      await small.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

test('a clock is off by what the way of its answer does not explain', () => {
  const reading = { askedMs: 10_000, answeredMs: 10_100 };
  expect(judgeClock('it', { ...reading, clockMs: 10_050 }).level).toBe('ok');
  expect(judgeClock('it', { ...reading, clockMs: 9_400 }).level).toBe('advice');
  expect(judgeClock('it', { ...reading, clockMs: 20_000 }).level).toBe('problem');
});
