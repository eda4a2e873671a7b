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

/** Stops a Postgres at once when this process is gone, and then removes what lies in a directory, if one is given. */
export function guardPostgres(dataDirectory: string, leftovers?: string): Guard {
  const pid = '"$(head -n 1 "$1/postmaster.pid")"';
  const stop = `kill -QUIT ${pid}`;
  if (leftovers === undefined) return startGuard(stop, [dataDirectory]);
  // It removes its pid file last.
  const wait = 'for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$1/postmaster.pid" ] || break; sleep 0.5; done';
  return startGuard(`${stop}; ${wait}; rm -rf "$2"`, [dataDirectory, leftovers]);
}
