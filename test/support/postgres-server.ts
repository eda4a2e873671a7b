import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findFreePort } from '../../bin/driver/free-port.ts';
import type { PostgresPrograms } from './postgres-programs.ts';

export interface PostgresServer {
  /** Of the maintenance database `postgres`, as superuser. */
  readonly url: string;
  /** Of the postmaster. */
  readonly pid: number;
  /** Ends it at once and cleans up nothing, as a crash does; the next start recovers from what reached the disk. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port, and waits until it answers. */
  restart(): Promise<void>;
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
  /** Makes the data directory in place of initdb, as the user of the programs. */
  makeData: (data: string) => void = (data) => initialise(programs, data),
): Promise<PostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'sequencer-postgres-'));
  const { uid, gid } = programs.user;
  chownSync(home, uid, gid);
  makeData(join(home, 'data'));
  return runServerIn(home, programs, extraSettings);
}

/** Starts a server on a free port in a directory whose `data` is made already, and removes both at its stop. */
export async function runServerIn(
  home: string,
  programs: PostgresPrograms,
  extraSettings: readonly string[] = [],
): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new Server(programs, home, await findFreePort(), extraSettings);
    if (await server.start()) return server;
    await server.end();
    if (attempt === startAttemptsMax) {
      const tail = server.logTail();
      rmSync(home, { recursive: true, force: true });
      throw new Error(`Postgres did not start (${programs.bin}); its log ends with:\n${tail}`);
    }
  }
}

function initialise({ bin, user }: PostgresPrograms, data: string): void {
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: '/', stdio: 'pipe' },
  );
}

class Server implements PostgresServer {
  readonly url: string;
  private readonly programs: PostgresPrograms;
  private readonly home: string;
  private readonly options: readonly string[];
  private postmaster: ChildProcess | null = null;
  private guard: ChildProcess | null = null;

  constructor(programs: PostgresPrograms, home: string, port: number, extraSettings: readonly string[]) {
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.programs = programs;
    this.home = home;
    this.options = [...settings, ...extraSettings, `port=${port}`].flatMap((setting) => ['-c', setting]);
  }

  get pid(): number {
    const pid = this.postmaster?.pid;
    if (pid === undefined) throw new Error('Postgres does not run');
    return pid;
  }

  /** Whether it came up. */
  async start(): Promise<boolean> {
    const { uid, gid } = this.programs.user;
    const log = openSync(join(this.home, 'log'), 'a');
    this.postmaster = spawn(
      join(this.programs.bin, 'postgres'),
      ['-D', join(this.home, 'data'), ...this.options],
      { uid, gid, cwd: '/', stdio: ['ignore', log, log] },
    );
    closeSync(log);
    if (!(await becomesReady(this.postmaster, this.url))) return false;
    this.guard ??= startGuard(this.home);
    return true;
  }

  async crash(): Promise<void> {
    const { postmaster } = this;
    if (postmaster === null || hasEnded(postmaster)) return;
    const exit = new Promise((resolve) => postmaster.once('exit', resolve));
    postmaster.kill('SIGQUIT');
    await exit;
  }

  async restart(): Promise<void> {
    if (!(await this.start())) {
      throw new Error(`Postgres did not start again; its log ends with:\n${this.logTail()}`);
    }
  }

  async stop(): Promise<void> {
    await this.end();
    this.guard?.kill('SIGKILL');
    rmSync(this.home, { recursive: true, force: true });
  }

  async end(): Promise<void> {
    if (this.postmaster !== null) await endProcess(this.postmaster);
  }

  logTail(): string {
    return readFileSync(join(this.home, 'log'), 'utf8').slice(-2_000);
  }
}

async function becomesReady(postmaster: ChildProcess, url: string): Promise<boolean> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && !hasEnded(postmaster)) {
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
function startGuard(home: string): ChildProcess {
  const script =
    'read -r _; pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null); ' +
    'kill -INT $pid 2>/dev/null; sleep 1; kill -QUIT $pid 2>/dev/null; rm -rf "$1"';
  const guard = spawn('sh', ['-c', script, 'sh', home], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  return guard;
}

/** SIGINT is Postgres' fast shutdown; SIGQUIT follows when that takes too long. */
async function endProcess(postmaster: ChildProcess): Promise<void> {
  if (hasEnded(postmaster)) return;
  const exit = new Promise((resolve) => postmaster.once('exit', resolve));
  postmaster.kill('SIGINT');
  const impatience = setTimeout(() => postmaster.kill('SIGQUIT'), 5_000);
  await exit;
  clearTimeout(impatience);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
