import { realpath } from 'node:fs/promises';
import { join } from 'node:path';

import { LogUnfit } from '../../domain/errors.ts';
import { prepareCluster } from './cluster.ts';
import { databaseName, makeDatabase, urlOf } from './connection.ts';
import { lockDirectory } from './directory-lock.ts';
import { findPlace } from './place.ts';
import { openPostmaster, type Postmaster, stopPostmaster } from './postmaster.ts';
import { installedPrograms, usablePrograms } from './programs.ts';
import { defaultSharedDirectory } from './shared-directory.ts';
import { watchPostmaster } from './watch-postmaster.ts';

export interface EmbeddedPostgresOptions {
  /** The node's data directory; exists, and this process may write to it. */
  readonly dataDir: string;
  /** How many connections the node opens at most. */
  readonly connectionsMax?: number;
  /** Where programs and data go that the user who runs Postgres can't reach in `dataDir`. */
  readonly sharedDirectory?: string;
  /** The `native` directory of the Postgres package; the one that npm installed unless given. */
  readonly programsDirectory?: string;
  /** Whether the server is started again when it ends on its own, as it is unless someone ends it on purpose. */
  readonly keepRunning?: boolean;
  /** Told what happens, in the words of a person who waits for it. */
  readonly onProgress?: (sentence: string) => void;
}

export interface EmbeddedPostgres {
  /** Of the sequencer's own database, with the password in it. */
  readonly url: string;
  /** What Postgres calls its data directory. */
  readonly dataDirectory: string;
  /** Whether the server was running already, left by a node that was killed. */
  readonly adopted: boolean;
  /** Ends the server at once, as a crash does: the next start recovers from what reached the disk. */
  crash(): Promise<void>;
  /** Starts it again on its port; for who opened it without `keepRunning`. */
  restart(): Promise<void>;
  /** Stops the server and gives the directory free. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Opens the Postgres that the node brings: made on the first start, adopted when a killed node left it running,
 * restarted when it ends on its own. It listens on loopback only, behind a generated password.
 * @throws LogUnfit with what to do, when it can't
 */
export async function openEmbeddedPostgres({
  dataDir,
  connectionsMax = 100,
  sharedDirectory = defaultSharedDirectory,
  programsDirectory = installedPrograms(),
  keepRunning = true,
  onProgress = () => undefined,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const realDataDir = await realpath(dataDir);
  const place = await findPlace(realDataDir, sharedDirectory);
  const programs = await usablePrograms(programsDirectory, place.account, sharedDirectory);
  if (place.elsewhere) {
    onProgress(
      `the user who runs Postgres can't enter ${realDataDir}: the database lies in ${place.directory}`,
    );
  }
  if (programs.copiedTo !== null) onProgress(`the programs of Postgres run from ${programs.copiedTo}`);

  // DATA_DIR has a lock of its own; this one keeps two copies of a DATA_DIR off the one database both lead to.
  const lock = await lockDirectory(place.directory);
  if (lock.kind === 'held') {
    throw new LogUnfit(
      `Another node (process ${lock.holder.pid}) uses the database in ${place.directory}: stop it, or give this one another DATA_DIR.`,
    );
  }
  try {
    const { password } = await prepareCluster(
      place,
      programs,
      join(realDataDir, 'postgres-password'),
      onProgress,
    );
    const options = { place, programs, password, connectionsMax, onProgress };
    onProgress('starting Postgres');
    const postmaster = await openPostmaster({ ...options, port: null });
    if (postmaster.adopted) {
      onProgress(`taking over the Postgres that an earlier node left running (process ${postmaster.pid})`);
    }
    await makeDatabase({ port: postmaster.port, password });
    const startAgain = (): Promise<Postmaster> => openPostmaster({ ...options, port: postmaster.port });
    const watch = keepRunning ? watchPostmaster(postmaster, startAgain, onProgress) : null;
    const stop = async (): Promise<void> => {
      await watch?.end();
      await stopPostmaster(options);
      await lock.release();
    };
    let stopping: Promise<void> | null = null;
    return {
      url: urlOf({ port: postmaster.port, password }, databaseName),
      dataDirectory: place.clusterDirectory,
      adopted: postmaster.adopted,
      crash: () => stopPostmaster(options, ['immediate']),
      restart: async () => void (await startAgain()),
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
