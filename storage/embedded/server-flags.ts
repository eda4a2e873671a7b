import { totalmem } from 'node:os';

const megabyte = 1_048_576;

export interface ServerSize {
  readonly port: number;
  readonly connectionsMax: number;
  /** What this machine or container has. */
  readonly memoryBytes: number;
  /** Of the file system that holds the data, used or not. */
  readonly diskBytes: number;
}

/**
 * The server's settings, as options for its command line, where they overrule its files: a cluster made by an
 * earlier release runs as this one wants. Values hold nothing that a shell would read.
 */
export function serverFlags({ port, connectionsMax, memoryBytes, diskBytes }: ServerSize): string {
  const flags: Readonly<Record<string, string | number>> = {
    // Loopback with a password is the only way in. A socket in /tmp would be one more, and open to squatters.
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: connectionsMax,

    // What an acknowledgement promises; the node checks the first two of any server at start.
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',

    // An eighth of the memory: the indexes of 10 million events are a gigabyte, of which an event may touch any page. What does
    // not fit is copied in from the system's cache and out again, 5 to 10 µs an event (ADR 0018).
    shared_buffers: megabytes(memoryBytes / 8, { min: 128, max: 4_096 }),

    // The first change of a page after a checkpoint writes the whole page to the WAL, and event ids come in no order: with
    // millions stored, each event changes two pages that none has changed before. As they are, these cost little; pglz, the
    // only compression in these programs, takes 250 µs for each and saves a third of it at most (ADR 0018).
    wal_compression: 'off',
    // So checkpoints are to be rare. They come early when half of this much has been written, which at 20,000 events a second
    // takes minutes; recovery after a crash then takes a minute or two. Only who writes so fast ever has it on the disk; as
    // min_wal_size is left at its 80 MB, it shrinks again from one checkpoint to the next.
    checkpoint_timeout: '15min',
    max_wal_size: megabytes(diskBytes / 16, { min: 1_024, max: 8_192 }),

    // Errors of statements belong to the node that sent them; a flood of duplicates must not fill the disk here.
    log_min_messages: 'log',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return Object.entries(flags)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/** What this process may use: of the machine, or of its container when that has less. */
export function usableMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function megabytes(bytes: number, { min, max }: { min: number; max: number }): string {
  return `${Math.min(max, Math.max(min, Math.floor(bytes / megabyte)))}MB`;
}
