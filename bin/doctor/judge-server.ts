import type { ServerState } from '../../storage/diagnosis.ts';
import { advice, type Finding, ok, problem } from './finding.ts';

export interface PoolSizes {
  readonly nodes: number;
  readonly connectionsPerNode: number;
}

const versionMin = 150_000;
const sharedBuffersMin = 1_073_741_824;
const maxWalSizeMin = 4_294_967_296;
const checkpointTimeoutMinSecs = 600;
const transactionAdviceSecs = 60;
const transactionProblemSecs = 600;
/** Claims, migrations, monitoring, and people. */
const connectionsBeside = 20;
/** Below so many checkpoints the share of those that the WAL forced says little. */
const checkpointsMin = 10;

/** What is to be said of a server's settings and sessions. */
export function judgeServer(server: ServerState, { nodes, connectionsPerNode }: PoolSizes): Finding[] {
  const wanted = nodes * connectionsPerNode + connectionsBeside;
  const forced = server.checkpoints >= checkpointsMin && server.checkpointsRequested * 2 > server.checkpoints;
  return [
    server.versionNumber >= versionMin
      ? ok(`Postgres ${server.version}`)
      : problem(`Postgres ${server.version}`, 'nodes refuse to start on versions before 15', 'upgrade it'),
    server.isStandby
      ? problem(
          'this Postgres is a standby',
          'nothing can be appended to it',
          'name the primary in DATABASE_URL',
        )
      : ok('it is a primary'),
    setTo(
      'fsync',
      server.fsync,
      'a crash of the machine loses acknowledged events, and nodes refuse to start',
    ),
    setTo('full_page_writes', server.fullPageWrites, 'a crash can tear pages, and nodes refuse to start'),
    ['on', 'remote_apply'].includes(server.synchronousCommit)
      ? ok(`synchronous_commit = ${server.synchronousCommit}`)
      : advice(
          `synchronous_commit = ${server.synchronousCommit}`,
          'nodes set it to on for themselves, other programs on this server do not, and would lose commits in a crash',
          "alter system set synchronous_commit = 'on'; select pg_reload_conf()",
        ),
    server.sharedBuffersBytes >= sharedBuffersMin
      ? ok(`shared_buffers = ${size(server.sharedBuffersBytes)}`)
      : advice(
          `shared_buffers = ${size(server.sharedBuffersBytes)}`,
          'event ids are random, so appends touch index pages all over; those that are not in it are copied in, and others out',
          'set it to a quarter of the memory, and restart Postgres',
        ),
    server.maxWalSizeBytes >= maxWalSizeMin
      ? ok(`max_wal_size = ${size(server.maxWalSizeBytes)}`)
      : advice(
          `max_wal_size = ${size(server.maxWalSizeBytes)}`,
          'checkpoints come early when it is full, and after each one whole pages go to the WAL',
          "alter system set max_wal_size = '16GB'; select pg_reload_conf()",
        ),
    server.walCompression === 'pglz'
      ? advice(
          'wal_compression = pglz',
          'it takes some 250 µs of processor time for each page that goes to the WAL whole, of which an event brings two after a checkpoint, and saves a third of it at most',
          "alter system set wal_compression = 'off'; select pg_reload_conf()",
        )
      : ok(`wal_compression = ${server.walCompression}`),
    server.checkpointTimeoutSecs >= checkpointTimeoutMinSecs
      ? ok(`checkpoint_timeout = ${server.checkpointTimeoutSecs} s`)
      : advice(
          `checkpoint_timeout = ${server.checkpointTimeoutSecs} s`,
          'after each checkpoint the random-id indexes are logged as whole pages',
          "alter system set checkpoint_timeout = '15min'; select pg_reload_conf()",
        ),
    forced
      ? advice(
          `${server.checkpointsRequested} of ${server.checkpoints} checkpoints came because the WAL was full, or on request`,
          'they come faster than checkpoint_timeout says',
          'raise max_wal_size until most are timed',
        )
      : ok(`${server.checkpointsRequested} of ${server.checkpoints} checkpoints were not timed`),
    setTo('autovacuum', server.autovacuum, 'fence rows are updated with each append, and dead ones pile up'),
    setTo('track_counts', server.trackCounts, 'autovacuum does not run without it'),
    server.maxConnections >= wanted
      ? ok(`max_connections = ${server.maxConnections}, ${server.connections} in use, ${wanted} wanted`)
      : problem(
          `max_connections = ${server.maxConnections}`,
          `${nodes} nodes with ${connectionsPerNode} connections each, and ${connectionsBeside} for all else, need ${wanted}`,
          `set it to ${wanted} or more and restart Postgres, make the pools smaller, or put PgBouncer in between`,
        ),
    server.walLevel === 'minimal'
      ? problem(
          'wal_level = minimal',
          'neither a base backup nor a replica is possible',
          "alter system set wal_level = 'replica', and restart Postgres",
        )
      : ok(`wal_level = ${server.walLevel}`),
    judgeArchive(server),
    judgeTransaction(server),
  ];
}

function setTo(name: string, isOn: boolean, why: string): Finding {
  if (isOn) return ok(`${name} = on`);
  return problem(`${name} = off`, why, `alter system set ${name} = on; select pg_reload_conf()`);
}

function judgeArchive({ archiveMode, archiveIsFailing }: ServerState): Finding {
  if (archiveMode === 'off') {
    return advice(
      'archive_mode = off',
      'a restore ends at the last base backup, and loses what was appended since',
      'archive the WAL (archive_mode, archive_command), or take it with pg_receivewal',
    );
  }
  if (!archiveIsFailing) return ok(`archive_mode = ${archiveMode}`);
  return problem(
    'the last attempt to archive WAL failed',
    'WAL piles up until the disk is full, and a restore ends where the archive does',
    'see the log of Postgres for the answer of archive_command',
  );
}

function judgeTransaction({
  longestTransactionSecs: secs,
  longestTransactionOf: name,
}: ServerState): Finding {
  const what = `the oldest open transaction is ${Math.round(secs)} s old`;
  if (secs < transactionAdviceSecs) return ok(what);
  const say = secs < transactionProblemSecs ? advice : problem;
  return say(
    `${what} (${name})`,
    'vacuum removes nothing that died since, so fence rows get slower to update',
    'end it: select pg_terminate_backend(process)',
  );
}

function size(bytes: number): string {
  return `${Math.round(bytes / 1_048_576).toLocaleString('en-US')} MB`;
}
