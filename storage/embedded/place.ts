import { createHash } from 'node:crypto';
import { chown, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LogUnfit } from '../../domain/errors.ts';
import { canEnter, postgresAccount } from './account.ts';
import type { Account } from './run-program.ts';
import { openSharedDirectory } from './shared-directory.ts';

/** Where the embedded database lies, and who runs it. */
export interface Place {
  readonly directory: string;
  /** The cluster itself, what Postgres calls its data directory; absent until it is complete. */
  readonly clusterDirectory: string;
  readonly account: Account;
  /** Whether it had to lie outside DATA_DIR. */
  readonly elsewhere: boolean;
}

/**
 * Finds or makes the database's directory. It is `postgres` in the node's data directory, unless the account that
 * runs Postgres can't get there: then it is a directory below `sharedDirectory`, which the node's data directory
 * remembers in `postgres-place`.
 * @throws LogUnfit when the account can't reach where the data already lies, or nothing can be made
 */
export async function findPlace(dataDir: string, sharedDirectory: string): Promise<Place> {
  const note = join(dataDir, 'postgres-place');
  const inside = join(dataDir, 'postgres');
  const remembered = await readFile(note, 'utf8').catch(() => null);
  const begun = remembered?.trim() ?? ((await isDirectory(inside)) ? inside : null);

  if (begun !== null) {
    // To begin anew in silence would look like the loss of every event.
    if (!(await isDirectory(begun))) throw gone(begun, note);
    const account = await postgresAccount(begun);
    if (await canEnter(account, begun)) return placeIn(begun, account, inside);
    throw unreachable(begun, account);
  }

  const account = await postgresAccount(inside);
  const elsewhere = account !== null && !(await canEnter(account, dataDir));
  const directory = elsewhere ? await directoryBelow(sharedDirectory, dataDir) : inside;
  await makeFor(account, directory);
  if (elsewhere) await writeFile(note, `${directory}\n`);
  if (!(await canEnter(account, directory))) throw unreachable(directory, account);
  return placeIn(directory, account, inside);
}

async function placeIn(path: string, account: Account, inside: string): Promise<Place> {
  const directory = await realpath(path); // As the system names the working directory of those who run there.
  return {
    directory,
    clusterDirectory: join(directory, 'cluster'),
    account,
    elsewhere: directory !== inside,
  };
}

/** Named after the path, so that each clone of one machine has its own, and the same again when the note is lost. */
async function directoryBelow(sharedDirectory: string, dataDir: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex');
  await openSharedDirectory(sharedDirectory);
  return join(sharedDirectory, hash.slice(0, 12));
}

async function makeFor(account: Account, directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (account !== null) await chown(directory, account.uid, account.gid);
  } catch (cause) {
    throw new LogUnfit(
      `The database's directory ${directory} can't be made (${String(cause)}): give DATA_DIR a writable directory, or set DATABASE_URL.`,
      {},
      { cause },
    );
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

function gone(directory: string, note: string): LogUnfit {
  return new LogUnfit(
    `The database that ${note} leads to, ${directory}, is gone: restore it, or remove that file to begin anew.`,
  );
}

function unreachable(directory: string, account: Account): LogUnfit {
  return account === null
    ? new LogUnfit(
        `The database in ${directory} belongs to another user: start the node as that user or as root, or give DATA_DIR another directory.`,
      )
    : new LogUnfit(
        `The database in ${directory} can't be reached by the user ${account.name}, who runs Postgres: open the directories above it with chmod o+x, or give DATA_DIR another directory.`,
      );
}
