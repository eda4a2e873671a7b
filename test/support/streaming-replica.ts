import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findPostgresPrograms } from './postgres-programs.ts';
import { type PostgresServer, runServerIn, startPostgresServer } from './postgres-server.ts';

/** A primary and a standby that follows it, both Debian's Postgres 15. */
export interface StreamingPair {
  readonly primary: PostgresServer;
  readonly replica: PostgresServer;
  /** Stops replaying; what the primary commits from now on is not seen on the replica. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** Makes the replica a primary of its own. */
  promote(): Promise<void>;
  /** Waits until the replica has replayed all that the primary has committed. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

export async function startStreamingPair(): Promise<StreamingPair> {
  const programs = findPostgresPrograms('debian');
  const primary = await startPostgresServer(programs, ['wal_level=replica', 'max_wal_senders=4']);
  const home = mkdtempSync(join(tmpdir(), 'sequencer-replica-'));
  const { uid, gid } = programs.user;
  chownSync(home, uid, gid);
  const args = ['-D', join(home, 'data'), '-d', primary.url, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'];
  execFileSync(join(programs.bin, 'pg_basebackup'), args, { uid, gid, cwd: '/', stdio: 'pipe' });
  const replica = await runServerIn(home, programs).catch(async (error: unknown) => {
    await primary.stop();
    rmSync(home, { recursive: true, force: true });
    throw error;
  });
  const caughtUp = async (): Promise<void> => {
    const [row] = await ask(primary.url, 'select pg_current_wal_lsn()::text as lsn');
    for (;;) {
      const text = `select pg_last_wal_replay_lsn() >= '${String(row?.lsn)}'::pg_lsn as there`;
      if ((await ask(replica.url, text))[0]?.there === true) return;
    }
  };
  return {
    primary,
    replica,
    caughtUp,
    pauseReplay: async () => {
      await caughtUp();
      await ask(replica.url, 'select pg_wal_replay_pause()');
      // Asked for is not done: the process that replays notices in a while.
      for (;;) {
        const [row] = await ask(replica.url, 'select pg_get_wal_replay_pause_state() as state');
        if (row?.state === 'paused') return;
      }
    },
    resumeReplay: async () => void (await ask(replica.url, 'select pg_wal_replay_resume()')),
    promote: async () => void (await ask(replica.url, 'select pg_promote(true)')),
    stop: async () => {
      await replica.stop();
      await primary.stop();
    },
  };
}

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'watcher' });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
