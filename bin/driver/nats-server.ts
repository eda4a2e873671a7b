import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from './free-port.ts';
import { type Guard, guardProcess } from './guard.ts';

export interface NatsServerOptions {
  /** Any free one unless given. */
  readonly port?: number;
  /** More of what the program takes on its command line, such as `['--user', 'sequencer', '--pass', 'secret']`. */
  readonly extraArguments?: readonly string[];
}

const program = 'nats-server';
/** Debian has it in /usr/sbin, which is not on everyone's PATH. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const readyTimeoutMs = 10_000;
const startAttemptsMax = 3;
const pollMs = 20;
const outputCharactersMax = 65_536;

/**
 * Starts a nats-server as a process of its own, on loopback, and waits until it greets. It ends with this process,
 * however that ends.
 *
 * @throws Error when the program is missing and can't be installed, or does not start
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  installNatsServer();
  for (let attempt = 1; ; attempt += 1) {
    const server = new NatsServer(options.port ?? (await findFreePort()), options.extraArguments ?? []);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Another program may have taken the port since it was free.
      if (options.port !== undefined || attempt === startAttemptsMax) throw error;
    }
  }
}

/** A nats-server that can go away and come back at its address. */
export class NatsServer {
  readonly port: number;
  private readonly extraArguments: readonly string[];
  private child: ChildProcess | null = null;
  private guard: Guard | null = null;
  private ended: Promise<unknown> = Promise.resolve();
  private output = '';

  constructor(port: number, extraArguments: readonly string[]) {
    this.port = port;
    this.extraArguments = extraArguments;
  }

  /** Without credentials: whoever sets some knows them. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** @throws Error with what it printed when it ends or does not greet in time */
  async start(): Promise<void> {
    const child = spawn(
      program,
      ['--addr', '127.0.0.1', '--port', String(this.port), ...this.extraArguments],
      { cwd: '/', env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-outputCharactersMax);
    });
    let hasEnded = false;
    this.ended = new Promise<void>((resolve) => {
      const end = (): void => {
        hasEnded = true;
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
    this.child = child;
    this.guard = child.pid === undefined ? null : guardProcess(child.pid);
    const deadlineMs = performance.now() + readyTimeoutMs;
    while (!hasEnded && !(await greets(this.port))) {
      if (performance.now() > deadlineMs) await this.kill();
      else await sleep(pollMs);
    }
    if (!hasEnded) return;
    this.guard?.release();
    throw new Error(`${program} did not start on port ${this.port}:\n${this.output}`);
  }

  /** Ends it as a crash does; `start` brings it back at the same address. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** SIGSTOP: its connections stay open, and nothing is delivered. */
  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  /** SIGCONT: it delivers what was sent meanwhile. */
  resume(): void {
    this.child?.kill('SIGCONT');
  }

  /** Ends it in an orderly way. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.child?.kill(signal);
    await this.ended;
    this.guard?.release();
  }
}

/** Whether a NATS server speaks first, as the protocol wants, on this port. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (isNats: boolean): void => {
      socket.destroy();
      resolve(isNats);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once('data', (chunk) => answer(chunk.subarray(0, 4).toString('latin1') === 'INFO'));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });
}

/**
 * Installs the program by apt when it is missing.
 * @throws Error that says how to get it, where that can't be done
 */
export function installNatsServer(): void {
  if (runs(program, ['--version'])) return;
  const wayOut =
    'on Debian or Ubuntu run "apt-get install --no-install-recommends nats-server" as root, elsewhere put the program on the PATH';
  if (process.getuid?.() !== 0 || !runs('apt-get', ['--version'])) {
    throw new Error(`A cluster needs ${program}, which is not installed: ${wayOut}.`);
  }
  const apt = (...args: string[]): void => {
    const env = { PATH: path, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', program);
  } catch (cause) {
    throw new Error(`A cluster needs ${program}, and apt-get could not install it: ${wayOut}.`, { cause });
  }
}

function runs(name: string, args: readonly string[]): boolean {
  try {
    execFileSync(name, args, { env: { PATH: path }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
