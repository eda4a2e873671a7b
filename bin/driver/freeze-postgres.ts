import { readFileSync } from 'node:fs';

/**
 * Stops every process of a Postgres server with SIGSTOP: connections stay open, new ones are accepted by the kernel, and nothing
 * is answered.
 * @param pid of the postmaster
 * @returns how to let it go on
 */
export function freezePostgres(pid: number): () => void {
  // The postmaster first, so that it starts no other meanwhile.
  process.kill(pid, 'SIGSTOP');
  const pids = [pid, ...childrenOf(pid)];
  for (const each of pids.slice(1)) process.kill(each, 'SIGSTOP');
  return () => {
    for (const each of pids) continueProcess(each);
  };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

function continueProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // A session may have ended as soon as its postmaster went on.
  }
}
