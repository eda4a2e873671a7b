import { totalmem } from 'node:os';

const megabyte = 1_048_576;

/**
 * The server's settings, as options for its command line, where they overrule its files: a cluster made by an
 * earlier release runs as this one wants. Values hold nothing that a shell would read.
 */
export function serverFlags({ port, connectionsMax }: { port: number; connectionsMax: number }): string {
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

    shared_buffers: `${sharedBuffersMb()}MB`,
    // The first change of a page after a checkpoint writes the whole page to the WAL: fewer checkpoints write less.
    checkpoint_timeout: '15min',
    max_wal_size: '2GB',
    wal_compression: 'on',

    // Errors of statements belong to the node that sent them; a flood of duplicates must not fill the disk here.
    log_min_messages: 'log',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return Object.entries(flags)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/** An eighth of the memory, of a container's when that is less, between the customary 128 MB and 1 GB. */
function sharedBuffersMb(): number {
  const limit = process.constrainedMemory();
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.min(1_024, Math.max(128, Math.floor(memory / 8 / megabyte)));
}
