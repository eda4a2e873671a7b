import { spawn } from 'node:child_process';

/** Ends what it guards when this process is gone; released, it does nothing more. */
export interface Guard {
  release(): void;
}

/**
 * A shell of its own that waits for the end of its standard input and then runs a script. When this process dies in
 * whatever way, by SIGKILL too, the pipe closes, and the script ends what would be left behind.
 *
 * @param script sees the values as `$1`, `$2` …
 */
export function startGuard(script: string, values: readonly (string | number)[]): Guard {
  const shell = spawn('sh', ['-c', `read -r _; ${script}`, 'sh', ...values.map(String)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // A Ctrl-C at the terminal is not for the guard.
  });
  shell.on('error', () => undefined); // Without a shell nothing is guarded, and nothing else changes.
  shell.unref();
  return { release: () => void shell.kill('SIGKILL') };
}

/** Kills a process, also a paused one, when this one is gone. Release it as soon as the process has ended. */
export function guardProcess(pid: number): Guard {
  return startGuard('kill -KILL "$1"', [pid]);
}
