import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** What a number is worth nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly commit: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1_073_741_824),
    node: process.version,
    commit: commitName(),
  };
}

/** The short commit, with `+` when files differ from it; a tree without git has none. */
function commitName(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, stdio: 'pipe' })
      .toString()
      .trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

/** Resident memory of a process in megabytes; 0 when it is gone. */
export function residentMegabytes(pid: number): number {
  try {
    const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { stdio: 'pipe' });
    return Number(kilobytes.toString().trim()) / 1_024;
  } catch {
    return 0;
  }
}
