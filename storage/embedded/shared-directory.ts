import { chmod, mkdir } from 'node:fs/promises';

import { LogUnfit } from '../../domain/errors.ts';

/** Outside every home: where a node of root puts what the user that runs Postgres has to reach. */
export const defaultSharedDirectory = '/var/lib/stateset-sequencer';

/**
 * Makes the directory, open to all and writable by its owner alone.
 * @throws LogUnfit when it can't be made
 */
export async function openSharedDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o755);
  } catch (cause) {
    throw new LogUnfit(
      `The user that runs Postgres can't enter this project's directory, and ${directory} can't be made instead (${String(cause)}): move the project out of a private directory, start the node as another user than root, or set DATABASE_URL.`,
      {},
      { cause },
    );
  }
}
