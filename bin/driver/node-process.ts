import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardProcess } from './guard.ts';

export interface NodeProcessOptions {
  /** The settings of the node, and its whole environment: nothing of the caller's shell leaks into it. */
  readonly env: Readonly<Record<string, string>>;
  /** 60 s unless given: a first start with an embedded Postgres makes a database. */
  readonly readyTimeoutMs?: number;
  /** Gets all that the node prints, after what earlier ones printed. */
  readonly logFile?: string;
  /** The `bin/start.ts` to run, of another version; that of this one unless given. */
  readonly program?: string;
  /** Keeps a Ctrl-C at the terminal from the node, for whoever stops it in an order; it then ends with this process. */
  readonly ownGroup?: boolean;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const start = join(import.meta.dirname, '../start.ts');
/** Enough for the database programs that a node without DATABASE_URL runs. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const readyPollMs = 20;
const outputCharactersMax = 65_536;

/**
 * Starts a node as a process of its own and waits until it is ready.
 *
 * Without `PORT` it takes any free one; `url` says which.
 * @throws Error with the end of its output when it ends before, or is not ready in time (then it is killed)
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const { logFile, program = start, ownGroup = false } = options;
  const child = spawn(process.execPath, [program], {
    env: { PATH: path, PORT: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ownGroup,
  });
  const node = new NodeProcess(child, logFile ?? null);
  if (ownGroup && child.pid !== undefined) {
    const guard = guardProcess(child.pid);
    void node.ended.then(() => guard.release());
  }
  await node.becomeReady(options.readyTimeoutMs ?? 60_000);
  return node;
}

/** A running node, seen from outside: its address, its output, its end. */
export class NodeProcess {
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<Ending>;
  private readonly child: ChildProcess;
  private readonly logFile: string | null;
  private ending: Ending | null = null;
  private address: string | null = null;
  private text = '';

  constructor(child: ChildProcess, logFile: string | null = null) {
    this.child = child;
    this.logFile = logFile;
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending): void => {
        this.ending = ending;
        resolve(ending);
      };
      child.once('exit', (code, signal) => end({ code, signal }));
      child.once('error', (error) => {
        this.collect(error.message);
        end({ code: null, signal: null });
      });
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.collect(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.collect(text));
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    if (this.address === null) throw new Error('the node has not said its address yet');
    return this.address;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.text;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks it to end without delay, and kills it when that takes longer than the time given. */
  async stop(timeoutMs = 30_000): Promise<Ending> {
    if (this.ending !== null) return this.ending;
    this.kill('SIGINT');
    const impatience = setTimeout(() => this.kill('SIGKILL'), timeoutMs);
    const ending = await this.ended;
    clearTimeout(impatience);
    return ending;
  }

  async becomeReady(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await this.isReady())) {
      if (this.ending !== null) throw new Error(`the node ended before it was ready:\n${this.text}`);
      if (Date.now() > deadline) {
        this.kill('SIGKILL');
        throw new Error(`the node was not ready within ${timeoutMs} ms:\n${this.text}`);
      }
      await sleep(readyPollMs);
    }
  }

  private async isReady(): Promise<boolean> {
    if (this.address === null) return false;
    try {
      const answer = await fetch(`${this.address}/ready`, { signal: AbortSignal.timeout(1_000) });
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false; // Not listening yet.
    }
  }

  private collect(text: string): void {
    // At once, so that the file is complete when whoever reads it has been told of a failure.
    if (this.logFile !== null) appendFileSync(this.logFile, text);
    this.text = (this.text + text).slice(-outputCharactersMax);
    this.address ??= /http:\/\/[\w.-]+:\d+/.exec(this.text)?.[0] ?? null;
  }
}
