import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where the programs of Prometheus lie. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const cacheDirectory = join(import.meta.dirname, '../../node_modules/.cache');
const unpackedDirectory = join(cacheDirectory, 'debian-prometheus');

/**
 * The programs on the PATH, or else those of Debian's package `prometheus`.
 *
 * The package is fetched and unpacked, not installed: an installation would start a Prometheus of its own as a service.
 *
 * @throws Error that says how to get them, where that can't be done
 */
export function findPrometheusPrograms(): PrometheusPrograms {
  if (runs('prometheus') && runs('promtool')) return { prometheus: 'prometheus', promtool: 'promtool' };
  if (!existsSync(unpackedDirectory)) unpackDebianPackage();
  const programs = join(unpackedDirectory, 'usr/bin');
  return { prometheus: join(programs, 'prometheus'), promtool: join(programs, 'promtool') };
}

function unpackDebianPackage(): void {
  mkdirSync(cacheDirectory, { recursive: true });
  const folder = mkdtempSync(join(cacheDirectory, 'debian-prometheus-'));
  try {
    fetchDebianPackage(folder);
    const file = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (file === undefined) throw new Error('apt-get fetched no package');
    const unpacked = join(folder, 'unpacked');
    execFileSync('dpkg-deb', ['--extract', join(folder, file), unpacked], { stdio: 'pipe' });
    // In one step, so that two processes at once can't see half of it; the second finds the place taken.
    if (!existsSync(unpackedDirectory)) renameSync(unpacked, unpackedDirectory);
  } catch (cause) {
    throw new Error(
      'This needs prometheus and promtool, which are not on the PATH, and the package could not be fetched: on Debian or ' +
        'Ubuntu see what "apt-get download prometheus" says, elsewhere put the programs on the PATH.',
      { cause },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fetchDebianPackage(folder: string): void {
  const apt = (...args: string[]): void => {
    execFileSync('apt-get', ['-qq', ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  try {
    apt('download', 'prometheus');
  } catch {
    // The lists of packages are missing or old; only root may fetch them.
    apt('update');
    apt('download', 'prometheus');
  }
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { env: { PATH: path }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
