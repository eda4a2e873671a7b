import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { type ClientEvent, SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { SigningAgent } from '../../bin/driver/signing-agent.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { findPostgresPrograms } from '../support/postgres-programs.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

const programs = findPostgresPrograms('debian');
const tenantId = randomUUID();
const [rolledBack, untouched] = [randomUUID(), randomUUID()].map((storeId) => ({ tenantId, storeId })) as [
  { tenantId: string; storeId: string },
  { tenantId: string; storeId: string },
];

let folder: string;
let nodes: TestNodes;
const servers: PostgresServer[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-backup-'));
  const { uid, gid } = programs.user;
  chownSync(folder, uid, gid);
  for (const name of ['archive', 'backups']) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), uid, gid);
  }
  // Where the server's user can run them, wherever the clone lies.
  cpSync(join(import.meta.dirname, '../../docker/backup'), join(folder, 'scripts'), { recursive: true });
  chmodSync(join(folder, 'scripts'), 0o755);
  nodes = new TestNodes();
});
afterAll(async () => {
  await nodes.stop();
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a script as the server's user. @returns the last line that it prints */
function script(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const output = execFileSync(join(folder, 'scripts', name), args, {
    ...programs.user,
    cwd: '/',
    env: { PATH: `${programs.bin}:/usr/bin:/bin`, ...env },
    stdio: 'pipe',
  });
  return output.toString().trim().split('\n').at(-1) ?? '';
}

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** A server on what the archive gives back up to a moment. */
async function restore(base: string, moment: string): Promise<PostgresServer> {
  const server = await startPostgresServer(programs, [], (data) => {
    script('restore-to.sh', [base, join(folder, 'archive'), data, moment]);
  });
  servers.push(server);
  await until('the end of the recovery', async () => {
    const [row] = await query<{ done: boolean }>(server.url, 'select not pg_is_in_recovery() as done');
    return row?.done === true;
  });
  return server;
}

function newEvent(): ClientEvent {
  return {
    eventId: randomUUID(),
    entityType: 'order',
    entityId: 'ORD-1',
    eventType: 'order.created',
    payload: '{"total":1.0}',
    createdAt: '2025-12-20T18:31:22Z',
  };
}

const open = (node: NodeProcess): SequencerClient =>
  new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 4 });

test('a restore to a moment is whole, and nodes refuse the stores that lost events until that is accepted', async () => {
  const primary = await startPostgresServer(programs, [
    'archive_mode=on',
    `archive_command=${join(folder, 'scripts/archive-wal.sh')} "%p" "%f" ${join(folder, 'archive')}`,
  ]);
  servers.push(primary);
  const node = await nodes.start({ DATABASE_URL: primary.url, NODE_ID: 'node-1' });
  const client = open(node);
  const agent = new SigningAgent();
  const { agentId } = agent;
  const registered = await client.send('POST', '/api/v1/agents/keys', agent.registration(tenantId));
  expect(registered.status).toBeLessThan(300);
  const append = async (store: typeof rolledBack, count: number): Promise<void> => {
    const outcome = await client.append(store, agentId, Array.from({ length: count }, newEvent));
    expect(outcome.kind).toBe('acknowledged');
  };
  const appendSigned = async (count: number): Promise<void> => {
    const events = Array.from({ length: count }, () => agent.sign(rolledBack, newEvent()));
    const outcome = await client.appendSigned(agentId, await Promise.all(events));
    expect(outcome.kind).toBe('acknowledged');
  };

  await append(rolledBack, 2);
  const base = script('base-backup.sh', [join(folder, 'backups')], { DATABASE_URL: primary.url });
  await append(rolledBack, 2);
  await append(untouched, 3);
  await appendSigned(2);
  const [moment] = await query<{ now: string }>(
    primary.url,
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' as now`,
  );
  await append(rolledBack, 3);
  await appendSigned(1);
  // The node dies a second later, when it has written what it knows; what it acknowledged is in the archive by then.
  const lastWal = await query<{ segment: string }>(
    primary.url,
    'select pg_walfile_name(pg_switch_wal()) as segment',
  );
  await until('the archive', async () => {
    const [row] = await query<{ last: string | null }>(
      primary.url,
      'select last_archived_wal as last from pg_stat_archiver',
    );
    return (row?.last ?? '') >= lastWal[0]!.segment;
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  node.kill('SIGKILL');
  await node.ended;
  client.close();
  await primary.crash();

  const restored = await restore(base, moment!.now);
  const fsck = await runCli(['fsck', '--database-url', restored.url], {});
  expect(fsck).toMatchObject({ code: 0 });
  const again = await nodes.start({ DATABASE_URL: restored.url, NODE_ID: 'node-1' });
  const after = open(again);
  expect(await after.head(rolledBack)).toBe(4);
  expect(await after.head({ ...rolledBack, world: 'ves' })).toBe(2);
  expect(await after.readPage(rolledBack, 1, 10)).toHaveLength(4);
  expect(await after.append(rolledBack, agentId, [newEvent()])).toEqual({
    kind: 'refused',
    status: 503,
    retryAfterSecs: 30,
  });
  expect(await after.append(untouched, agentId, [newEvent()])).toMatchObject({
    kind: 'acknowledged',
    answer: { head_sequence: 4 },
  });
  expect(again.output).toContain('the log lacks an event that this node acknowledged');
  const health = JSON.parse((await after.send('GET', '/health/detailed')).body) as {
    components: { history: unknown };
  };
  expect(health.components.history).toMatchObject({ status: 'degraded', rolled_back_stores: 1 });

  // A node that knows nothing of it refuses as well.
  const other = await nodes.start({ DATABASE_URL: restored.url, DATA_DIR: join(nodes.folder, 'other') });
  const elsewhere = open(other);
  expect(await elsewhere.append(rolledBack, agentId, [newEvent()])).toMatchObject({ status: 503 });

  const shown = await runCli(['accept-rollback', '--all', '--database-url', restored.url], {});
  expect(shown.code).toBe(1);
  const of = `tenant ${tenantId} store ${rolledBack.storeId}`;
  expect(shown.stdout).toContain(
    `${of} legacy: sequences 5 to 7 are lost, as node-1 acknowledged them; the log ends with 4\n`,
  );
  expect(shown.stdout).toContain(
    `${of} ves: sequence 3 is lost, as node-1 acknowledged them; the log ends with 2\n`,
  );
  expect(shown.stdout).not.toContain(untouched.storeId);
  const token = /--confirm (\S+)$/.exec(shown.stdout.trim())?.[1] ?? '';
  const accept = (given: string) =>
    runCli(['accept-rollback', '--all', '--confirm', given, '--database-url', restored.url], {});
  expect(await accept('0123456789abcdef')).toMatchObject({ code: 1 });
  expect(await accept(token)).toMatchObject({
    code: 0,
    stdout: 'The loss is accepted: 1 store takes appends again.\n',
  });

  for (const [index, one] of [after, elsewhere].entries()) {
    await until(
      'appends to the store',
      async () => (await one.append(rolledBack, agentId, [newEvent()])).kind === 'acknowledged',
    );
    expect(await one.head(rolledBack)).toBe(5 + index);
    one.close();
  }
  await Promise.all([again.stop(), other.stop()]);
  expect(await runCli(['fsck', '--database-url', restored.url], {})).toMatchObject({ code: 0 });
}, 180_000);

test('the scripts refuse what would lose data or restore something else', () => {
  const archive = join(folder, 'archive');
  const refusal = (name: string, ...args: string[]): string => {
    try {
      return `ended well: ${script(name, args)}`;
    } catch (error) {
      return (error as { stderr: Buffer }).stderr.toString();
    }
  };
  expect(refusal('restore-to.sh', folder, archive, join(folder, 'new'), 'latest')).toContain(
    'is no base backup',
  );
  const [base] = execFileSync('ls', [join(folder, 'backups')])
    .toString()
    .split('\n');
  const backup = join(folder, 'backups', base ?? '');
  expect(refusal('restore-to.sh', backup, archive, folder, 'latest')).toContain('is not empty');
  expect(refusal('restore-to.sh', backup, archive, join(folder, 'new'), 'yesterday')).toContain(
    'is no moment',
  );
  expect(refusal('restore-to.sh', backup, archive, join(folder, 'new'), '2026-01-01 12:00:00')).toContain(
    'is no moment',
  );
  expect(refusal('archive-wal.sh', join(folder, 'scripts/archive-wal.sh'), 'segment', archive)).toBe(
    'ended well: ',
  );
  expect(refusal('archive-wal.sh', join(folder, 'scripts/archive-wal.sh'), 'segment', archive)).toBe(
    'ended well: ',
  );
  expect(refusal('archive-wal.sh', join(folder, 'scripts/restore-to.sh'), 'segment', archive)).toContain(
    'with other content',
  );
});
