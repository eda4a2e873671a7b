import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
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
 * whose process is gone, by kill -9 too, counts for nothing.
 *
 * The files are numbered, `node.lock.1` and on, and the highest number holds. A stale one is never removed to make
 * room, since of two processes that found it stale the slower would remove what the faster put there; the next number
 * is made instead, which only one can. So the highest is never deleted, and whoever makes a number that was deleted
 * meanwhile finds a higher one and gives way.
 * @throws the system's error when the directory can't be written
 */
export async function lockDirectory(directory: string): Promise<LockOutcome> {
  const own: Holder = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? '' };
  const draft = join(directory, `.node.lock.${randomUUID()}`);
  // Linked into place, so that nobody ever reads a lock that is half written. Readable by all: root starts a node
  // here today, and the directory's owner tomorrow.
  await writeFile(draft, JSON.stringify(own), { mode: 0o644 });
  try {
    for (;;) {
      const highest = Math.max(0, ...(await lockNumbers(directory)));
      const holder = highest === 0 ? null : await readHolder(lockPath(directory, highest));
      if (holder !== null && (await processIdentity(holder.pid)) === holder.identity) {
        return { kind: 'held', holder };
      }
      const number = highest + 1;
      if (!(await linkedNew(draft, lockPath(directory, number)))) continue;
      const others = (await lockNumbers(directory)).filter((other) => other !== number);
      const superseded = others.some((other) => other > number);
      const obsolete = superseded ? [number] : others;
      await Promise.all(obsolete.map((other) => rm(lockPath(directory, other), { force: true })));
      if (!superseded) return { kind: 'locked', release: () => release(directory, number) };
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Empties the lock in one step; the file stays, as the highest number. */
async function release(directory: string, number: number): Promise<void> {
  const empty = join(directory, `.node.lock.${randomUUID()}`);
  await writeFile(empty, '', { mode: 0o644 });
  await rename(empty, lockPath(directory, number));
}

function lockPath(directory: string, number: number): string {
  return join(directory, `node.lock.${number}`);
}

async function lockNumbers(directory: string): Promise<number[]> {
  return (await readdir(directory)).flatMap((name) => {
    const match = /^node\.lock\.(\d{1,15})$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
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

/** Null when the lock is released, deleted meanwhile, or damaged. */
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
