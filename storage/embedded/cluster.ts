import { randomBytes, randomUUID } from 'node:crypto';
import { chown, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LogUnfit } from '../../domain/errors.ts';
import type { Place } from './place.ts';
import type { Programs } from './programs.ts';
import { runProgram } from './run-program.ts';
import { writeSecret } from './secret-file.ts';

export const superuser = 'sequencer';

/**
 * Makes the database cluster unless it is there. initdb works in a draft that is renamed once it is complete, so
 * that one cut short leaves nothing that looks like a cluster.
 * @throws LogUnfit when another major version wrote the cluster, its password is lost, or initdb fails
 */
export async function prepareCluster(
  place: Place,
  programs: Programs,
  passwordFile: string,
  onProgress: (sentence: string) => void,
): Promise<{ readonly password: string }> {
  if ((await stat(place.clusterDirectory).catch(() => null)) !== null) {
    await checkVersion(place.clusterDirectory, programs);
    return { password: await readPassword(place.clusterDirectory, passwordFile) };
  }
  const password = randomBytes(24).toString('base64url');
  // On disk before the database that needs it: a crash between the two must not lock us out.
  await writeSecret(passwordFile, password);
  onProgress(`making a database in ${place.directory} (this happens once)`);
  await initialise(place, programs, password);
  return { password };
}

async function initialise(place: Place, programs: Programs, password: string): Promise<void> {
  const { directory, clusterDirectory, account } = place;
  for (const name of await readdir(directory)) {
    // Drafts of starts that were cut short. One that an orphaned initdb still fills can't be removed yet, nor matters.
    if (name.startsWith('draft-')) {
      await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
  const draft = join(directory, `draft-${randomUUID()}`);
  const handover = `${draft}-password`;
  await writeFile(handover, password, { mode: 0o600 });
  if (account !== null) await chown(handover, account.uid, account.gid);
  try {
    const { exitCode, output } = await runProgram(
      programs.initdb,
      [
        ...['--pgdata', draft, '--username', superuser, '--pwfile', handover],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
        ...['--data-checksums', '--no-instructions'],
      ],
      { account, cwd: directory },
    );
    if (exitCode !== 0) {
      throw new LogUnfit(
        `initdb could not make a database in ${directory}: ${output}. Give DATA_DIR a directory with room and write access, or set DATABASE_URL.`,
      );
    }
    await rename(draft, clusterDirectory);
    await flushDirectory(directory);
  } finally {
    await rm(handover, { force: true });
  }
}

async function checkVersion(clusterDirectory: string, { majorVersion, version }: Programs): Promise<void> {
  const found = parseInt(await readFile(join(clusterDirectory, 'PG_VERSION'), 'utf8').catch(() => ''), 10);
  if (found === majorVersion) return;
  const elsewhere = 'or give DATA_DIR an empty directory to begin anew';
  if (Number.isNaN(found)) {
    throw new LogUnfit(
      `${clusterDirectory} holds no database that Postgres knows: restore it from a backup, ${elsewhere}.`,
    );
  }
  throw new LogUnfit(
    found > majorVersion
      ? `The database in ${clusterDirectory} was written by Postgres ${found}, and this release brings Postgres ${version}: start the newer release that wrote it, ${elsewhere}.`
      : `The database in ${clusterDirectory} was written by Postgres ${found}, and this release brings Postgres ${version}, which can't read it: start the release that wrote it, copy the data to a Postgres of your own with pg_dump and set DATABASE_URL to that, ${elsewhere}.`,
  );
}

async function readPassword(clusterDirectory: string, passwordFile: string): Promise<string> {
  try {
    return (await readFile(passwordFile, 'utf8')).trim();
  } catch (cause) {
    throw new LogUnfit(
      `${passwordFile} can't be read (${String(cause)}), and without it the database in ${clusterDirectory} can't be opened: restore it, or give DATA_DIR an empty directory to begin anew.`,
      {},
      { cause },
    );
  }
}

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
