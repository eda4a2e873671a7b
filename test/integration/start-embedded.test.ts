import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

import pg from 'pg';

import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  openEmbeddedPostgres,
} from '../../storage/embedded/embedded-postgres.ts';
import { installedPrograms } from '../../storage/embedded/programs.ts';
import { usableMemoryBytes } from '../../storage/embedded/server-flags.ts';
import { openDirectory, privateDirectory, removeDirectories } from '../support/start-directories.ts';

const asRoot = process.getuid?.() === 0;
const opened: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];
let dataDir: string;
let sharedDirectory: string;

async function open(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await openEmbeddedPostgres({ dataDir, sharedDirectory, ...options });
  opened.push(postgres);
  return postgres;
}

/** Opens in a process of its own and kills that with -9 when it has told the awaited thing. */
async function openAndKill(
  until: (message: { sentence?: string; url?: string }) => boolean,
  options: Partial<EmbeddedPostgresOptions> = {},
): Promise<{ sentence?: string; url?: string }> {
  const child = fork(
    join(import.meta.dirname, '../support/start-embedded-process.ts'),
    [JSON.stringify({ dataDir, sharedDirectory, ...options })],
    { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  children.push(child);
  for await (const [message] of on(child)) {
    if (!until(message)) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
    return message;
  }
  throw new Error('the process ended early');
}

async function* on(child: ChildProcess): AsyncGenerator<[{ sentence?: string; url?: string }]> {
  const messages: { sentence?: string; url?: string }[] = [];
  let wake = () => undefined as void;
  child.on('message', (message: { sentence?: string; url?: string }) => {
    messages.push(message);
    wake();
  });
  child.on('exit', () => wake());
  while (child.exitCode === null || messages.length > 0) {
    const message = messages.shift();
    if (message !== undefined) yield [message];
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

/** What npm installed, at another place. */
async function copyOfPrograms(directory: string): Promise<string> {
  await cp(dirname(installedPrograms()), directory, { recursive: true, verbatimSymlinks: true });
  return join(directory, 'native');
}

async function query(url: string, text: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function settingOf(url: string, name: string): Promise<string> {
  return (await query(url, `select current_setting('${name}') as value`))[0].value;
}

/** Whole megabytes, in bytes. */
function megabytesWithin(min: number, bytes: number, max: number): string {
  return String(Math.min(max, Math.max(min, Math.floor(bytes / 1_048_576))) * 1_048_576);
}

async function postmasterPid(postgres: EmbeddedPostgres): Promise<number> {
  return Number((await readFile(join(postgres.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeEach(async () => {
  dataDir ??= await openDirectory();
  sharedDirectory ??= join(await openDirectory(), 'shared');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((postgres) => postgres.stop()));
});

afterAll(removeDirectories);

describe('an embedded Postgres', () => {
  test('is made at the first start, and keeps what is in it over a stop', async () => {
    const told: string[] = [];
    const first = await open({ onProgress: (sentence) => told.push(sentence) });
    // Before that it may say where the programs run from, when the clone is closed to the user who runs Postgres.
    expect(told.slice(-2)).toEqual([expect.stringContaining('making a database in'), 'starting Postgres']);
    await query(first.url, 'create table kept as select 42 as value');
    await first.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow();

    const second = await open();
    expect(second.adopted).toBe(false);
    expect(await query(second.url, 'select value from kept')).toEqual([{ value: 42 }]);
  });

  test('is durable, UTF-8, checked, sorted by bytes, and open to loopback and its password alone', async () => {
    const { url } = await open();
    for (const [name, value] of Object.entries({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
      server_encoding: 'UTF8',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
    })) {
      expect([name, await settingOf(url, name)]).toEqual([name, value]);
    }
    expect(await query(url, `select datcollate from pg_database where datname = current_database()`)).toEqual(
      [{ datcollate: 'C' }],
    );
    const stranger = new URL(url);
    stranger.password = 'guessed';
    await expect(query(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600);
  });

  test('logs whole pages as they are, and seldom, within a share of the memory and of the disk', async () => {
    const { url, dataDirectory } = await open();
    expect(await settingOf(url, 'wal_compression')).toBe('off');
    expect(await settingOf(url, 'checkpoint_timeout')).toBe('15min');
    const { blocks, bsize } = await statfs(dataDirectory);
    const [sizes] = await query(
      url,
      `select pg_size_bytes(current_setting('max_wal_size'))::int8::text as wal,
              pg_size_bytes(current_setting('shared_buffers'))::int8::text as buffers`,
    );
    expect(sizes.wal).toBe(megabytesWithin(1_024, (blocks * bsize) / 16, 8_192));
    expect(sizes.buffers).toBe(megabytesWithin(128, usableMemoryBytes() / 8, 4_096));
  });

  test('that a killed node left running is taken over', async () => {
    const killed = await openAndKill(({ url }) => url !== undefined);
    const { url, adopted } = await open();
    expect(adopted).toBe(true);
    expect(url).toBe(killed.url);
    expect(await query(url, 'select value from kept')).toEqual([{ value: 42 }]);
  });

  test('that was left running with room for too few connections is started anew', async () => {
    await openAndKill(({ url }) => url !== undefined, { connectionsMax: 20 });
    const { url, adopted } = await open({ connectionsMax: 40 });
    expect(adopted).toBe(false);
    expect(await settingOf(url, 'max_connections')).toBe('40');
  });

  test('starts although another process has the number in its stale pid file', async () => {
    const postgres = await open();
    await postgres.stop();
    const { uid, gid } = await stat(postgres.dataDirectory);
    const stranger = spawn('sleep', ['60'], { uid, gid, cwd: '/' });
    children.push(stranger);
    const stale = `${stranger.pid}\n${postgres.dataDirectory}\n1700000000\n5432\n\n127.0.0.1\n  1 2\nready   \n`;
    await writeFile(join(postgres.dataDirectory, 'postmaster.pid'), stale);
    expect((await open()).adopted).toBe(false);
  });

  test('comes back on the same port when the server dies and the node does not', async () => {
    const postgres = await open();
    const pid = await postmasterPid(postgres);
    process.kill(pid, 'SIGKILL');
    await until(async () => {
      const value = await query(postgres.url, 'select value from kept').catch(() => null);
      return value?.[0].value === 42 && (await postmasterPid(postgres)) !== pid;
    });
  });

  test('refuses a second node, by the first one’s process number', async () => {
    await open();
    await expect(open()).rejects.toThrow(
      expect.objectContaining({
        code: 'LOG_UNFIT',
        message: expect.stringContaining(`process ${process.pid}`),
      }),
    );
  });

  test.each([
    ['99\n', /written by Postgres 99.*start the newer release/],
    ['14\n', /written by Postgres 14.*pg_dump/],
    ['', /holds no database that Postgres knows/],
  ])('refuses a database of version %j with a way out', async (version, sentence) => {
    const postgres = await open();
    await postgres.stop();
    const file = join(postgres.dataDirectory, 'PG_VERSION');
    const own = await readFile(file, 'utf8');
    await writeFile(file, version);
    await expect(open()).rejects.toThrow(sentence);
    await writeFile(file, own);
  });

  test('says so when its password is lost or not its own', async () => {
    const file = join(dataDir, 'postgres-password');
    const own = await readFile(file, 'utf8');
    await rm(file);
    await expect(open()).rejects.toThrow(/postgres-password can't be read.*restore it/);
    await writeFile(file, own, { mode: 0o600 });

    await openAndKill(({ url }) => url !== undefined);
    await writeFile(file, 'another\n', { mode: 0o600 });
    await expect(open()).rejects.toThrow(/password in DATA_DIR does not open/);
    await writeFile(file, own, { mode: 0o600 });
    expect((await open()).adopted).toBe(true);
  });

  test('says what the server said when it can not start', async () => {
    const postgres = await open();
    await postgres.stop();
    const file = join(postgres.dataDirectory, 'postgresql.conf');
    const own = await readFile(file, 'utf8');
    await writeFile(file, `${own}\nnot_a_setting = 1\n`);
    await expect(open()).rejects.toThrow(/could not start on .*not_a_setting/);
    await writeFile(file, own);
  });
});

describe('a first start that is cut short', () => {
  test.each(['making a database', 'starting Postgres'])(
    'while %s is made good by the next',
    async (moment) => {
      const directory = await openDirectory();
      await openAndKill(({ sentence }) => sentence?.includes(moment) ?? false, { dataDir: directory });
      const { url } = await open({ dataDir: directory });
      expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    },
  );

  test('leaves a draft that the next start removes', async () => {
    const directory = await openDirectory();
    const postgres = await open({ dataDir: directory });
    await postgres.stop();
    await rm(postgres.dataDirectory, { recursive: true });
    const draft = join(directory, 'postgres', 'draft-of-a-killed-start');
    await mkdir(draft);
    await writeFile(join(draft, 'PG_VERSION'), '18\n');

    await open({ dataDir: directory });
    expect((await readdir(join(directory, 'postgres'))).filter((name) => name.startsWith('draft'))).toEqual(
      [],
    );
  });
});

describe('in a directory of an unusual kind', () => {
  test('whose name holds spaces, quotes and a dollar sign, Postgres starts', async () => {
    const directory = join(await openDirectory(), `it's "all" $HOME of ours`);
    await mkdir(directory, { mode: 0o755 });
    const { url } = await open({ dataDir: directory });
    expect(await settingOf(url, 'data_directory')).toBe(join(directory, 'postgres', 'cluster'));
  });

  test('that only its owner may enter, Postgres runs as root too, and says where its data lies', async () => {
    const home = await privateDirectory();
    const shared = join(await openDirectory(), 'shared');
    const programsDirectory = await copyOfPrograms(join(home, 'package'));
    const told: string[] = [];
    const options = {
      dataDir: join(home, 'data'),
      sharedDirectory: shared,
      programsDirectory,
      onProgress: (sentence: string) => told.push(sentence),
    };
    await mkdir(options.dataDir, { mode: 0o711 });

    const first = await open(options);
    await query(first.url, 'create table kept as select 43 as value');
    const running = await readlink(`/proc/${await postmasterPid(first)}/exe`);
    expect(running.startsWith(await realpath(asRoot ? shared : home))).toBe(true);
    expect(first.dataDirectory.startsWith(await realpath(asRoot ? shared : home))).toBe(true);
    expect(told.some((sentence) => sentence.includes(`the database lies in ${shared}`))).toBe(asRoot);
    expect(told.some((sentence) => sentence.includes(`run from ${shared}`))).toBe(asRoot);
    await first.stop();

    const second = await open(options);
    expect(second.dataDirectory).toBe(first.dataDirectory);
    expect(await query(second.url, 'select value from kept')).toEqual([{ value: 43 }]);

    if (!asRoot) return;
    // A copy of the directory leads to the same database, which is one node's at a time.
    const copy = join(home, 'copy');
    await cp(options.dataDir, copy, { recursive: true });
    await expect(open({ ...options, dataDir: copy })).rejects.toThrow(
      /^Another node .* uses the database in/,
    );
    await second.stop();
    await rm(shared, { recursive: true });
    await expect(open(options)).rejects.toThrow(/is gone: restore it, or remove that file/);
  });

  test('that holds programs without their links, Postgres runs all the same', async () => {
    const programsDirectory = await copyOfPrograms(join(await openDirectory(), 'package'));
    for (const entry of await readdir(join(programsDirectory, 'lib'), { withFileTypes: true })) {
      if (entry.isSymbolicLink()) await rm(join(programsDirectory, 'lib', entry.name));
    }
    const { url } = await open({ programsDirectory });
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('that was closed after the database was made in it, the start says how to open it', async () => {
    const directory = await openDirectory();
    const postgres = await open({ dataDir: directory });
    await postgres.stop();
    await chmod(directory, 0o700);
    const reopened = open({ dataDir: directory });
    if (asRoot) await expect(reopened).rejects.toThrow(/can't be reached by the user postgres.*chmod o\+x/);
    else expect((await reopened).adopted).toBe(false);
  });
});
