import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Makes sure that programs of Debian packages are there, installing by apt what is missing.
 *
 * @param programs where each lies, by the name of its package
 * @throws Error that says what to install, where that can't be done
 */
export function installDebianPrograms(programs: Readonly<Record<string, string>>): void {
  const missing = Object.entries(programs).filter(([, path]) => !existsSync(path));
  if (missing.length === 0) return;
  const packages = missing.map(([name]) => name);
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    const names = packages.join(' ');
    throw new Error(
      `These tests need ${missing.map(([, path]) => path).join(', ')}: on Debian run ` +
        `"apt-get install --no-install-recommends ${names}" as root.`,
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: string[]): void => {
    execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, stdio: 'pipe' });
  };
  run('update');
  run('install', '-y', '--no-install-recommends', ...packages);
}
