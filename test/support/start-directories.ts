import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** A fresh directory that every user may enter, as a clone in /opt would be. */
export async function openDirectory(): Promise<string> {
  const directory = await privateDirectory();
  await chmod(directory, 0o755);
  return directory;
}

/** A fresh directory that only its owner may enter, as root's home is. */
export async function privateDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sequencer-start-'));
  made.push(directory);
  return directory;
}

export async function removeDirectories(): Promise<void> {
  await Promise.all(made.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
}
