import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

/**
 * The most resident memory that this process ever had, in megabytes. Where Linux says it: `maxRSS` begins there with what the
 * parent had.
 */
export function peakMegabytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
  } catch {
    return process.resourceUsage().maxRSS / 1_024;
  }
}

const ticksPerSecond = 100;

/** Processor time that a process has used, in microseconds; null where the system does not tell in this way. */
export function cpuMicros(pid: number): number | null {
  try {
    // The name of the program comes second, in parentheses, and may hold spaces; what follows it does not.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? (ticks / ticksPerSecond) * 1_000_000 : null;
  } catch {
    return null;
  }
}
