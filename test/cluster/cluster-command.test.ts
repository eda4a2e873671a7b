import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';

const program = join(import.meta.dirname, '../../bin/cluster.ts');
const folder = mkdtempSync(join(tmpdir(), 'sequencer-cluster-'));
chmodSync(folder, 0o755);
const runners: ChildProcess[] = [];

afterAll(() => {
  for (const runner of runners) runner.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command until it has said everything. */
async function runCluster(): Promise<{ runner: ChildProcess; output: string; addresses: URL[] }> {
  const args = [program, '--nodes', '2', '--port', '0', '--data-dir', join(folder, 'data')];
  const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  runners.push(runner);
  let output = '';
  runner.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until('the cluster runs', () => output.includes('Ctrl-C stops everything.'), 60_000);
  const addresses = [...new Set(output.match(/\b(http|nats):\/\/127\.0\.0\.1:\d+/g))].map(
    (url) => new URL(url),
  );
  return { runner, output, addresses };
}

function takesConnections({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Processes that have the folder on their command line or in their environment or work in it. */
function processesOfFolder(): string {
  const script = `for p in /proc/[0-9]*; do { tr '\\0' ' ' <$p/cmdline; tr '\\0' ' ' <$p/environ; readlink $p/cwd; } 2>/dev/null | grep -q -- "$1" && [ "$p" != "/proc/$$" ] && basename $p; done; true`;
  return execFileSync('sh', ['-c', script, 'sh', join(folder, 'data')])
    .toString()
    .trim();
}

test('the commands that it prints work, and Ctrl-C leaves nothing running', async () => {
  const { runner, output, addresses } = await runCluster();
  expect(addresses).toHaveLength(4); // The proxy, two nodes, NATS.
  const [append = '', read = ''] = output.match(/^ {2}curl .+$/gm) ?? [];
  expect(execFileSync('sh', ['-c', append]).toString()).toContain('"events_accepted":1');
  expect(execFileSync('sh', ['-c', read]).toString()).toContain('order.created');

  runner.kill('SIGINT');
  const [code] = (await once(runner, 'exit')) as [number];
  expect(code).toBe(0);
  expect(await Promise.all(addresses.map(takesConnections))).toEqual(addresses.map(() => false));
  expect(processesOfFolder()).toBe('');
}, 120_000);

test('it keeps its data, and takes all that it started with it when it is killed', async () => {
  const { runner, output } = await runCluster();
  const [, read = ''] = output.match(/^ {2}curl .+$/gm) ?? [];
  expect(execFileSync('sh', ['-c', read]).toString()).toContain('order.created');
  runner.kill('SIGKILL');
  await until('everything has ended', () => processesOfFolder() === '', 30_000);
}, 120_000);
