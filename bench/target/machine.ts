import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

/** What a number is worth nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly commit: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1_073_741_824),
    system: `${type()} ${release()}`,
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
  return statusMegabytes(pid, 'VmRSS') ?? askPs(pid);
}

/** The most that a process ever held, where Linux says it; elsewhere what it holds now. */
export function peakMegabytes(pid: number): number {
  return statusMegabytes(pid, 'VmHWM') ?? askPs(pid);
}

function statusMegabytes(pid: number, field: string): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}

function askPs(pid: number): number {
  try {
    const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { stdio: 'pipe' });
    return Number(kilobytes.toString().trim()) / 1_024;
  } catch {
    return 0;
  }
}

const ticksPerSecond = 100;

/** Processor time that a process has used, in microseconds; null where the system does not tell in this way. */
export function cpuMicros(pid: number): number | null {
  const times = readTimes(pid);
  return times === null ? null : times.own;
}

/**
 * The same for a process and all that it ever started, as long as it waits for them when they end: of a postmaster, with
 * every session.
 */
export function familyCpuMicros(pid: number): number | null {
  const times = readTimes(pid);
  if (times === null) return null;
  return childrenOf(pid).reduce((sum, child) => sum + (familyCpuMicros(child) ?? 0), times.own + times.ended);
}

interface ProcessTimes {
  readonly own: number;
  /** Of children that have ended. */
  readonly ended: number;
}

function readTimes(pid: number): ProcessTimes | null {
  try {
    // The name of the program comes second, in parentheses, and may hold spaces; what follows it does not.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    const micros = (from: number): number =>
      ((Number(fields[from]) + Number(fields[from + 1])) / ticksPerSecond) * 1_000_000;
    return Number.isFinite(micros(11)) ? { own: micros(11), ended: micros(13) } : null;
  } catch {
    return null;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
