import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A NATS server of a test's own, listening on 127.0.0.1. */
export interface TestNats {
  /** For `NATS_URL`. */
  readonly url: string;
  readonly pid: number;
  /** SIGSTOP and SIGCONT pause it, SIGKILL ends it as a crash does. */
  kill(signal: NodeJS.Signals): void;
  /** Starts it again at the same address, after it was stopped or killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const startTimeoutMs = 10_000;

/** Starts a NATS server on a free port and waits until it takes connections. */
export async function startNatsServer(): Promise<TestNats> {
  const program = findProgram();
  let server = await launch(program, '-1'); // Any free port.
  const end = async (): Promise<void> => {
    if (!hasEnded(server.child)) {
      const ended = new Promise((resolve) => server.child.once('exit', resolve));
      server.child.kill('SIGKILL'); // It keeps nothing, and one that is paused hears no other signal.
      await ended;
    }
  };
  return {
    url: server.url,
    get pid() {
      return server.child.pid ?? 0;
    },
    kill: (signal) => void server.child.kill(signal),
    restart: async () => {
      await end();
      server = await launch(program, new URL(server.url).port);
    },
    stop: end,
  };
}

async function launch(program: string, port: string): Promise<{ child: ChildProcess; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sequencer-nats-'));
  const child = spawn(program, ['--addr', '127.0.0.1', '--port', port, '--ports_file_dir', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-10_000)));
  const portsFile = join(folder, `nats-server_${child.pid}.ports`);
  try {
    const deadlineMs = performance.now() + startTimeoutMs;
    for (;;) {
      const url = readUrl(portsFile);
      if (url !== null) return { child, url };
      if (hasEnded(child) || performance.now() > deadlineMs) {
        child.kill('SIGKILL');
        throw new Error(`nats-server did not start:\n${output}`);
      }
      await sleep(10);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The address from the file that the server writes once it listens; null before. */
function readUrl(portsFile: string): string | null {
  if (!existsSync(portsFile)) return null;
  try {
    const { nats } = JSON.parse(readFileSync(portsFile, 'utf8')) as { nats: [string] };
    return nats[0];
  } catch {
    return null; // Half written.
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

const places = ['/usr/sbin/nats-server', '/usr/local/bin/nats-server', '/usr/bin/nats-server'];

function findProgram(): string {
  const installed = places.find((place) => existsSync(place));
  if (installed !== undefined) return installed;
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    throw new Error(
      `Tests of clusters need nats-server in one of ${places.join(', ')}: on Debian run ` +
        '"apt-get install --no-install-recommends nats-server" as root.',
    );
  }
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'pipe' } as const;
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  execFileSync('apt-get', ['update'], options);
  execFileSync('apt-get', [...wait, 'install', '-y', '--no-install-recommends', 'nats-server'], options);
  return places[0] ?? '';
}
