import { readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { LogUnfit } from '../../domain/errors.ts';
import { askServer, type ServerFacts } from './connection.ts';
import type { Place } from './place.ts';
import { processesIn, processIdentity } from './process-identity.ts';
import type { Programs } from './programs.ts';
import { runProgram } from './run-program.ts';
import { serverFlags, usableMemoryBytes } from './server-flags.ts';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Whether it was running already: a node that was killed leaves its server behind. */
  readonly adopted: boolean;
}

export interface PostmasterOptions {
  readonly place: Place;
  readonly programs: Programs;
  readonly password: string;
  readonly connectionsMax: number;
  /** The port to use again after the server ended on its own; any free one when null. */
  readonly port: number | null;
  readonly onProgress: (sentence: string) => void;
}

const logName = 'server.log';
const openTimeoutMs = 60_000;
const pollMs = 100;
/**
 * After a crash it first reads what was written since its last checkpoint, which is up to `max_wal_size`: 3.7 GB took 88 seconds
 * (ADR 0018). One that can't start ends and is not waited for.
 */
const startTimeoutSecs = 900;
const longStartMs = 5_000;
const stopTimeoutSecs = 30;
const logBytesMax = 10_000_000;

/**
 * The server of this cluster: the one that runs already, when it is of this release and large enough, else a new
 * one. It answers queries when this returns.
 * @throws LogUnfit when it can't be started, or one that runs neither answers nor ends
 */
export async function openPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const { place, onProgress } = options;
  let deadline = performance.now() + openTimeoutMs;
  for (let told = false; ;) {
    const running = await findRunning(place.clusterDirectory);
    if (running === null) {
      const started = await start(options);
      if (started.kind === 'started') return started.postmaster;
      if (!started.passing || performance.now() > deadline) throw startFailed(place, started.said);
    } else {
      const answer = await askServer({ port: running.port, password: options.password });
      if (answer !== null && isOfUse(answer, options)) {
        return { pid: running.pid, port: running.port, adopted: true };
      }
      if (answer !== null) {
        onProgress(
          `stopping the Postgres of an earlier release or of a smaller size (process ${running.pid})`,
        );
        await stopPostmaster(options);
        continue;
      }
      if (running.isStarting) deadline = performance.now() + openTimeoutMs;
      if (performance.now() > deadline) throw neitherAnswersNorEnds(place, running.pid);
      if (!told) onProgress(`waiting for the Postgres that runs already (process ${running.pid})`);
      told = true;
    }
    await sleep(pollMs);
  }
}

/**
 * Ends every session, writes a checkpoint and stops the server; does nothing when none runs.
 *
 * @param modes of pg_ctl, tried in turn. A fast stop may hang on a broken disk; an immediate one only costs the next
 *   start a recovery
 */
export async function stopPostmaster(
  { place, programs }: Pick<PostmasterOptions, 'place' | 'programs'>,
  modes: readonly ('fast' | 'immediate')[] = ['fast', 'immediate'],
): Promise<void> {
  for (const mode of modes) {
    if ((await findRunning(place.clusterDirectory)) === null) return;
    const { exitCode } = await runProgram(
      programs.pgCtl,
      ['stop', '--pgdata', place.clusterDirectory, '--mode', mode, '--timeout', String(stopTimeoutSecs)],
      { account: place.account, cwd: place.directory },
    );
    if (exitCode === 0) return;
  }
}

interface Running {
  readonly pid: number;
  readonly port: number;
  /** It does not take sessions yet: after a crash, not before it has recovered. */
  readonly isStarting: boolean;
}

/** The server that works in this directory, or null. */
async function findRunning(clusterDirectory: string): Promise<Running | null> {
  const pidFile = join(clusterDirectory, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  if ((await processIdentity(pid)) === null) return null; // Postgres sees this itself, and replaces the file.

  const inside = await processesIn(clusterDirectory);
  if (inside === null || inside.includes(pid)) {
    return { pid, port: Number(lines[3]), isStarting: lines[7]?.trim() === 'starting' };
  }
  // The number belongs to another process by now, and the file would keep a new server from starting for ever. But
  // while sessions outlive their server, the file is what protects the data from a second one.
  if (inside.length === 0) await rm(pidFile, { force: true });
  return null;
}

function isOfUse(
  { version, connectionsMax, clusterDirectory }: ServerFacts,
  options: Pick<PostmasterOptions, 'programs' | 'connectionsMax' | 'place'>,
): boolean {
  return (
    clusterDirectory === options.place.clusterDirectory &&
    version === options.programs.version &&
    connectionsMax >= options.connectionsMax
  );
}

type StartOutcome =
  | { readonly kind: 'started'; readonly postmaster: Postmaster }
  /** `passing`: trying again is worth it. */
  | { readonly kind: 'failed'; readonly said: string; readonly passing: boolean };

async function start({
  place,
  programs,
  connectionsMax,
  port,
  onProgress,
}: PostmasterOptions): Promise<StartOutcome> {
  const logPath = join(place.directory, logName);
  const logSize = await sizeOf(logPath);
  if (logSize > logBytesMax) await rename(logPath, `${logPath}.old`);
  const logged = logSize > logBytesMax ? 0 : logSize;

  const { blocks, bsize } = await statfs(place.directory);
  const flags = serverFlags({
    port: port ?? (await freePort()),
    connectionsMax,
    memoryBytes: usableMemoryBytes(),
    diskBytes: blocks * bsize,
  });
  const explanation = setTimeout(() => {
    onProgress(
      'Postgres is still starting: after a crash it recovers what it wrote last, which may take minutes',
    );
  }, longStartMs);
  const { exitCode, output } = await runProgram(
    programs.pgCtl,
    [
      ...['start', '--wait', '--timeout', String(startTimeoutSecs), '--log', logName],
      ...['--options', flags],
    ],
    // pg_ctl puts its paths into a shell command; one in the environment survives any character.
    { account: place.account, cwd: place.directory, env: { PGDATA: place.clusterDirectory } },
  ).finally(() => clearTimeout(explanation));
  const running = exitCode === 0 ? await findRunning(place.clusterDirectory) : null;
  if (running !== null) {
    const { pid, port: itsPort } = running;
    return { kind: 'started', postmaster: { pid, port: itsPort, adopted: false } };
  }

  const log = await readFile(logPath).catch(() => Buffer.alloc(0));
  const said = log.subarray(logged).toString('utf8').trim() || output;
  // The port can be taken between our look and the server's bind; sessions of a killed server end within seconds.
  return {
    kind: 'failed',
    said,
    passing: /could not bind|still in use|"postmaster.pid" already exists/.test(said),
  };
}

function startFailed({ clusterDirectory, directory }: Place, said: string): LogUnfit {
  return new LogUnfit(
    `Postgres could not start on ${clusterDirectory}: ${said.split('\n').slice(-5).join('; ')} (more in ${join(directory, logName)}).`,
  );
}

function neitherAnswersNorEnds({ clusterDirectory }: Place, pid: number): LogUnfit {
  return new LogUnfit(
    `The Postgres that runs on ${clusterDirectory} (process ${pid}) neither answers nor ends: end it with "kill ${pid}" and start again.`,
  );
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new LogUnfit('No free port on 127.0.0.1.');
  return address.port;
}
