import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Tells one process from a later one with the same number: its boot and its start time, as the kernel has them.
 * Null when there is no such process, or it ended and only waits for its parent to notice. Where there is no
 * /proc a process is known by its number alone.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return isAlive(pid) ? 'alive' : null;
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The name in parentheses may hold spaces and parentheses itself; the fields after it do not.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? null : `${bootId.trim()} ${fields[18] ?? ''}`;
  } catch {
    return null;
  }
}

/**
 * The processes whose working directory this is: a Postgres server, and each of its sessions, works in its data
 * directory. Null where the system does not say.
 */
export async function processesIn(directory: string): Promise<number[] | null> {
  if (process.platform !== 'linux') return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const inside = await Promise.all(
    pids.map(async (pid) => {
      const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => null);
      return workingDirectory === directory && (await processIdentity(pid)) !== null;
    }),
  );
  return pids.filter((_, index) => inside[index]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
