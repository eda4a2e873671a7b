import { type NodeProcess, startNodeProcess } from '../driver/node-process.ts';

export interface ClusterNodeOptions {
  readonly name: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/**
 * One place in the cluster: the node in it comes and goes, its name, address and data stay.
 *
 * Modes: `running` ⇄ `paused`; either → `away` by `kill`, `running` → `away` by `leave`; `away` → `running` by `start`.
 */
export class ClusterNode {
  readonly name: string;
  readonly url: string;
  readonly logFile: string;
  private readonly options: ClusterNodeOptions;
  private process: NodeProcess | null = null;

  constructor(options: ClusterNodeOptions) {
    this.options = options;
    this.name = options.name;
    this.logFile = options.logFile;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  /** @throws Error with the end of its output when it is not ready in time */
  async start(): Promise<void> {
    const { port, env, logFile } = this.options;
    this.process = await startNodeProcess({ env: { ...env, PORT: String(port) }, logFile, ownGroup: true });
  }

  /** SIGKILL: it can do nothing more. */
  async kill(): Promise<void> {
    this.process?.kill('SIGKILL');
    await this.process?.ended;
    this.process = null;
  }

  /** SIGSTOP: its connections stay open, and nothing answers. */
  pause(): void {
    this.process?.kill('SIGSTOP');
  }

  /** SIGCONT: it goes on where it was, as if no time had passed. */
  resume(): void {
    this.process?.kill('SIGCONT');
  }

  /** SIGTERM: it says that it leaves, finishes what it has, and ends. */
  async leave(): Promise<void> {
    this.process?.kill('SIGTERM');
    await this.process?.ended;
    this.process = null;
  }

  /** Ends it without delay, in an orderly way if it can. */
  async stop(): Promise<void> {
    this.resume();
    await this.process?.stop(15_000);
    this.process = null;
  }
}
