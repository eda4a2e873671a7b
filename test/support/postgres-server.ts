import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { PostgresPrograms } from './postgres-programs.ts';

export interface PostgresServer {
  /** Of the maintenance database `postgres`, as superuser. */
  readonly url: string;
  /** Ends every session, stops the server, and removes its data. */
  stop(): Promise<void>;
}

/**
 * Small, but durable: the tests check promises about commits, so fsync stays on. The lock file of the Unix socket
 * would need a directory that the server's user may write, and nobody here uses the socket.
 */
const settings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=32MB',
  'max_connections=200',
  'max_wal_size=256MB',
  'fsync=on',
  'full_page_writes=on',
  'logging_collector=off',
];

const startAttemptsMax = 3;
const startTimeoutMs = 30_000;

/** Makes a fresh data directory below the system's temporary one and starts a server on a free port in it. */
export async function startPostgresServer(
  programs: PostgresPrograms,
  extraSettings: readonly string[] = [],
): Promise<PostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'sequencer-postgres-'));
  const { uid, gid } = programs.user;
  chownSync(home, uid, gid);
  const data = join(home, 'data');
  execFileSync(
    join(programs.bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    { uid, gid, cwd: '/', stdio: 'pipe' },
  );
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    const logFile = join(home, 'log');
    const log = openSync(logFile, 'a');
    const options = [...settings, ...extraSettings, `port=${port}`].flatMap((setting) => ['-c', setting]);
    const postmaster = spawn(join(programs.bin, 'postgres'), ['-D', data, ...options], {
      uid,
      gid,
      cwd: '/',
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    if (await becomesReady(postmaster, url)) {
      const guard = startGuard(postmaster, home);
      return { url, stop: () => stopServer(postmaster, guard, home) };
    }
    await endProcess(postmaster);
    if (attempt === startAttemptsMax) {
      const tail = readFileSync(logFile, 'utf8').slice(-2_000);
      rmSync(home, { recursive: true, force: true });
      throw new Error(`Postgres did not start (${programs.bin}); its log ends with:\n${tail}`);
    }
  }
}

/** A port that was free a moment ago; another program may take it first, hence the attempts above. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return address.port;
}

async function becomesReady(postmaster: ChildProcess, url: string): Promise<boolean> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && postmaster.exitCode === null && postmaster.signalCode === null) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined); // The failed query below says the same.
    try {
      await client.connect();
      await client.query('select 1');
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

/**
 * A shell that waits for the end of its standard input. When this process dies in whatever way, even by SIGKILL, the
 * pipe closes, and the shell stops the server and removes its data.
 */
function startGuard(postmaster: ChildProcess, home: string): ChildProcess {
  const script = 'read -r _; kill -INT "$1" 2>/dev/null; sleep 1; kill -QUIT "$1" 2>/dev/null; rm -rf "$2"';
  const guard = spawn('sh', ['-c', script, 'sh', String(postmaster.pid), home], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  return guard;
}

async function stopServer(postmaster: ChildProcess, guard: ChildProcess, home: string): Promise<void> {
  await endProcess(postmaster);
  guard.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}

/** SIGINT is Postgres' fast shutdown; SIGQUIT follows when that takes too long. */
async function endProcess(postmaster: ChildProcess): Promise<void> {
  if (postmaster.exitCode !== null || postmaster.signalCode !== null) return;
  const exit = new Promise((resolve) => postmaster.once('exit', resolve));
  postmaster.kill('SIGINT');
  const impatience = setTimeout(() => postmaster.kill('SIGQUIT'), 5_000);
  await exit;
  clearTimeout(impatience);
}
