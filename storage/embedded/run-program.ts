import { spawn } from 'node:child_process';

/** A user to run programs as; null is the user of this process. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number } | null;

export interface ProgramResult {
  /** Null when the program could not be started or was ended by a signal. */
  readonly exitCode: number | null;
  /** Standard output and standard error as they came, trimmed. */
  readonly output: string;
}

/**
 * Runs a program to its end. The environment is a fixed one: variables such as PGOPTIONS or LD_LIBRARY_PATH of
 * whoever starts the node must not reach the server.
 */
export function runProgram(
  path: string,
  args: readonly string[],
  {
    account = null,
    cwd = '/',
    env = {},
  }: { account?: Account; cwd?: string; env?: Record<string, string> } = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const child = spawn(path, args, {
      cwd,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
    });
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => {
      resolve({ exitCode: null, output: error.message });
    });
    child.on('close', (exitCode) => {
      resolve({ exitCode, output: Buffer.concat(chunks).toString('utf8').trim() });
    });
  });
}
