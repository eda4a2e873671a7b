import { randomBytes } from 'node:crypto';
import { access, chmod, constants, mkdir, readFile, realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

import { lockDirectory } from '../storage/embedded/directory-lock.ts';
import { writeSecret } from '../storage/embedded/secret-file.ts';
import { StartProblem } from './start-problem.ts';

/** What a node keeps between its runs. One node at a time holds it. */
export interface DataDir {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** The text of a small file in it, or null when there is none. */
  read(name: string): Promise<string | null>;
  /** Keeps a small text that only the owner may read. */
  write(name: string, text: string): Promise<void>;
  release(): Promise<void>;
}

const wayOut = 'give this user the directory with chown, or set DATA_DIR to another';

/**
 * Makes the directory if need be and takes it for this process.
 * @throws StartProblem when it can't be made, read or written, or another node runs on it
 */
export async function openDataDir(given: string): Promise<DataDir> {
  const path = await makeDirectory(resolve(given));
  const lock = await refusing(`${path} can't be written`, () => lockDirectory(path));
  if (lock.kind === 'held') {
    throw new StartProblem(
      `Another node (process ${lock.holder.pid}) runs on the directory ${path}: stop it, or set DATA_DIR to another directory for this one (and PORT to another port).`,
    );
  }
  return {
    path,
    async read(name) {
      return refusing(`${join(path, name)} can't be read`, async () => {
        try {
          return (await readFile(join(path, name), 'utf8')).trim();
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
          throw error;
        }
      });
    },
    write: (name, text) =>
      refusing(`${join(path, name)} can't be written`, () => writeSecret(join(path, name), text)),
    release: () => lock.release(),
  };
}

/** The node's name unless NODE_ID gives one: readable, and the same at every start on this host. */
export async function keptNodeId(dataDir: DataDir): Promise<string> {
  const file = 'node-id-suffix';
  let suffix = await dataDir.read(file);
  if (suffix === null || !/^[0-9a-f]{6}$/.test(suffix)) {
    suffix = randomBytes(3).toString('hex');
    await dataDir.write(file, suffix);
  }
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return `${host.slice(0, 40) || 'node'}-${suffix}`;
}

async function makeDirectory(path: string): Promise<string> {
  return refusing(`${path} can't be used`, async () => {
    // Postgres does not run as root: the user who runs it must pass through to its own directory, and can list
    // nothing else here.
    const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
    const firstMade = await mkdir(path, { recursive: true, mode });
    if (firstMade !== undefined) await chmod(path, mode); // Whatever the umask.
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpath(path);
  });
}

async function refusing<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new StartProblem(`The data directory ${what} (${code ?? message}): ${wayOut}.`, { cause });
  }
}
