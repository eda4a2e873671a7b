import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findFreePort } from '../../bin/driver/free-port.ts';
import { guardProcess } from '../../bin/driver/guard.ts';
import { installDebianPrograms } from './debian-programs.ts';
import { findPostgresPrograms } from './postgres-programs.ts';
import { until } from './until.ts';

export interface PgBouncer {
  /** The given database's URL by way of it. */
  readonly url: string;
  stop(): Promise<void>;
}

const program = '/usr/sbin/pgbouncer';

/**
 * Starts Debian's PgBouncer in transaction mode in front of a database's server.
 * @param settings lines for its section `[pgbouncer]`
 */
export async function startPgBouncer(
  databaseUrl: string,
  settings: readonly string[] = [],
): Promise<PgBouncer> {
  installDebianPrograms({ pgbouncer: program });
  const { user } = findPostgresPrograms('debian');
  const target = new URL(databaseUrl);
  const url = new URL(databaseUrl);
  url.port = String(await findFreePort());
  const home = mkdtempSync(join(tmpdir(), 'sequencer-pgbouncer-'));
  chownSync(home, user.uid, user.gid);
  const configuration = [
    '[databases]',
    `* = host=${target.hostname} port=${target.port} user=postgres`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${url.port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'max_client_conn = 500',
    'default_pool_size = 20',
    ...settings,
  ];
  writeFileSync(join(home, 'pgbouncer.ini'), `${configuration.join('\n')}\n`);
  const log = openSync(join(home, 'log'), 'a');
  const child = spawn(program, [join(home, 'pgbouncer.ini')], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const guard = guardProcess(child.pid ?? 0);
  const stop = async (): Promise<void> => {
    await end(child);
    guard.release();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await until('PgBouncer answers', () => answers(url.href));
  } catch (error) {
    const said = readFileSync(join(home, 'log'), 'utf8').slice(-2_000);
    await stop();
    throw new Error(`PgBouncer does not run; it says:\n${said}`, { cause: error });
  }
  return { url: url.href, stop };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined); // The failed connection below says the same.
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM'); // At once, unlike SIGINT.
  await exit;
}
