import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.ts';

const module = join(import.meta.dirname, '../../bench/target/postgres.ts');
const script = `
  const { openScratchPostgres, withClient } = await import(${JSON.stringify(module)});
  const { url, pid } = await openScratchPostgres();
  const folder = await withClient(url, async (client) => {
    const { rows } = await client.query('show data_directory');
    return rows[0].data_directory;
  });
  console.log(JSON.stringify({ pid, folder }));
  setInterval(() => undefined, 1_000);`;

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'the Postgres of a bench that %s ends leaves neither process nor files',
  async (signal) => {
    const bench = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve, reject) => {
      bench.stdout.setEncoding('utf8').once('data', resolve);
      bench.once('exit', () => reject(new Error('the bench ended before it was told to')));
    });
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect(isAlive(pid)).toBe(true);
    bench.kill(signal);
    await until('Postgres and its files are gone', () => !isAlive(pid) && !existsSync(folder));
  },
);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
