import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { advice, type Finding, ok, problem } from './finding.ts';

const freeProblemBytes = 1_073_741_824;
const freeAdviceShare = 0.15;
/** For the database, NATS, logs and modules, beside clients' connections. */
const filesBeside = 200;

/** The machine that the doctor runs on, with the limits of whoever runs it. */
export function checkMachine(options: {
  readonly dataDir: string;
  readonly maxConnections: number;
}): Finding[] {
  return [...checkFileLimit(options.maxConnections), checkDisk(options.dataDir)];
}

function checkFileLimit(maxConnections: number): Finding[] {
  const limit = readFileLimit();
  if (limit === null) return [];
  const wanted = maxConnections + filesBeside;
  if (limit >= wanted) return [ok(`${limit} files may be open, ${wanted} wanted`)];
  return [
    advice(
      `${limit} files may be open`,
      `MAX_CONNECTIONS is ${maxConnections}, so a node may need ${wanted}; beyond the limit it can't accept connections`,
      `set LimitNOFILE=${wanted} (systemd), ulimits (containers) or ulimit -n, or lower MAX_CONNECTIONS`,
    ),
  ];
}

/** Node.js raises its own soft limit to the hard one when it starts; null where the system does not tell. */
function readFileLimit(): number | null {
  const path = '/proc/self/limits';
  if (!existsSync(path)) return null;
  const [, limit] = /^Max open files\s+(\S+)/m.exec(readFileSync(path, 'utf8')) ?? [];
  if (limit === undefined) return null;
  return limit === 'unlimited' ? Infinity : Number(limit);
}

function checkDisk(dataDir: string): Finding {
  let path = resolve(dataDir);
  while (!existsSync(path)) path = dirname(path);
  const { bavail, blocks, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const what = `DATA_DIR (${path}) has ${Math.round(free / 1_048_576).toLocaleString('en-US')} MB free`;
  const why = 'keys and the embedded database are written there';
  const change = 'make room, or move DATA_DIR to a larger disk';
  if (free < freeProblemBytes) return problem(what, why, change);
  return bavail < blocks * freeAdviceShare ? advice(what, why, change) : ok(what);
}
