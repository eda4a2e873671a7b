import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { processIdentity } from './process-identity.ts';

/** The process that holds a directory, as its lock file names it. */
export interface Holder {
  readonly pid: number;
  /** See `processIdentity`: a number alone would be taken for another's after kill -9 and a reboot. */
  readonly identity: string;
}

export type LockOutcome =
  { readonly kind: 'locked'; release(): Promise<void> } | { readonly kind: 'held'; readonly holder: Holder };

/**
 * Makes this process the only one that uses the directory, until it releases the lock or ends in any way: a lock
 * whose process is gone, by kill -9 too, counts for nothing and is taken over.
 * @throws the system's error when the directory can't be written
 */
export async function lockDirectory(directory: string): Promise<LockOutcome> {
  const path = join(directory, 'node.lock');
  const own: Holder = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? '' };
  const draft = `${path}.${randomUUID()}`;
  // The draft is linked into place, so that nobody ever reads a lock that is half written.
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    for (;;) {
      if (await linkedNew(draft, path)) return { kind: 'locked', release: () => release(path, own) };
      const found = await readHolder(path);
      if (found !== null && (await processIdentity(found.pid)) === found.identity) {
        return { kind: 'held', holder: found };
      }
      await removeStale(path, found);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function release(path: string, own: Holder): Promise<void> {
  if (sameHolder(await readHolder(path), own)) await rm(path, { force: true });
}

/**
 * Two processes may find the same stale lock, and the slower must not remove what the faster put in its place: so
 * the file is moved aside first, looked at, and put back if it is not the one that was found stale.
 */
async function removeStale(path: string, stale: Holder | null): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (!sameHolder(await readHolder(aside), stale)) await linkedNew(aside, path);
  await rm(aside, { force: true });
}

async function linkedNew(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Null when there is no lock file or nobody can tell whose it is. */
async function readHolder(path: string): Promise<Holder | null> {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder> | null;
    return typeof holder?.pid === 'number' && typeof holder.identity === 'string'
      ? { pid: holder.pid, identity: holder.identity }
      : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function sameHolder(a: Holder | null, b: Holder | null): boolean {
  return a?.pid === b?.pid && a?.identity === b?.identity;
}
