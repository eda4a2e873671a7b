import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from './free-port.ts';
import { type Guard, guardProcess } from './guard.ts';
import { findPrometheusPrograms } from './prometheus-programs.ts';

export interface PrometheusOptions {
  /** Where its configuration and data go; exists. */
  readonly directory: string;
  /** The text of prometheus.yml. */
  readonly configuration: string;
}

/** One line of a chart: its labels, and [seconds since 1970, value] pairs. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [number, number])[];
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 15_000;
const pollMs = 100;
const outputCharactersMax = 16_384;

/**
 * Starts a Prometheus as a process of its own on loopback, and waits until it answers. It ends with this process.
 *
 * @throws Error with what it printed when it does not start
 */
export async function startPrometheus({
  directory,
  configuration,
}: PrometheusOptions): Promise<PrometheusServer> {
  const file = join(directory, 'prometheus.yml');
  writeFileSync(file, configuration);
  const port = await findFreePort();
  const child = spawn(
    findPrometheusPrograms().prometheus,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  const server = new PrometheusServer(child, `http://127.0.0.1:${port}`);
  await server.becomeReady();
  return server;
}

/** A running Prometheus, and its HTTP API. */
export class PrometheusServer {
  readonly url: string;
  private readonly child: ChildProcess;
  private readonly guard: Guard | null;
  private readonly ended: Promise<void>;
  private hasEnded = false;
  private output = '';

  constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
    this.guard = child.pid === undefined ? null : guardProcess(child.pid);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-outputCharactersMax);
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.hasEnded = true;
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
  }

  /** @throws Error with what it printed when that takes too long */
  async becomeReady(): Promise<void> {
    const deadlineMs = performance.now() + readyTimeoutMs;
    while (!(await this.isReady())) {
      if (this.hasEnded || performance.now() > deadlineMs) {
        await this.stop();
        throw new Error(`prometheus did not start:\n${this.output}`);
      }
      await sleep(pollMs);
    }
  }

  /** What a chart of this expression shows, from `startSecs` to `endSecs` (since 1970). */
  async queryRange(
    expression: string,
    range: { readonly startSecs: number; readonly endSecs: number; readonly stepSecs: number },
  ): Promise<Series[]> {
    const { startSecs, endSecs, stepSecs } = range;
    const { result } = await this.get<{ result: RangeResult[] }>('query_range', {
      query: expression,
      start: String(startSecs),
      end: String(endSecs),
      step: String(stepSecs),
    });
    return result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([secs, value]) => [secs, Number(value)] as const),
    }));
  }

  /** Alerts that are pending or firing. */
  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.get<{ alerts: ActiveAlert[] }>('alerts')).alerts;
  }

  async stop(): Promise<void> {
    if (!this.hasEnded) this.child.kill('SIGTERM');
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), stopTimeoutMs);
    await this.ended;
    clearTimeout(impatience);
    this.guard?.release();
  }

  private async get<Data>(what: string, parameters: Readonly<Record<string, string>> = {}): Promise<Data> {
    const answer = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(parameters).toString()}`);
    const body = (await answer.json()) as { data: Data; error?: string };
    if (!answer.ok) throw new Error(`prometheus refused ${JSON.stringify(parameters)}: ${body.error}`);
    return body.data;
  }

  private async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/-/ready`);
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false; // Not listening yet.
    }
  }
}

interface RangeResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}
