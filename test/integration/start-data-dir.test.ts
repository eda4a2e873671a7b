import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { openAdminKey } from '../../bin/admin-key.ts';
import { type DataDir, keptNodeId, openDataDir } from '../../bin/data-dir.ts';
import { bootstrapAdmin } from '../../domain/access.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { lockDirectory } from '../../storage/embedded/directory-lock.ts';
import { postgresApiKeys } from '../../storage/postgres/api-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openDirectory, removeDirectories } from '../support/start-directories.ts';

const asRoot = process.getuid?.() === 0;

afterAll(removeDirectories);

describe('a lock on a directory', () => {
  test('is held once, and free again after its release', async () => {
    const directory = await openDirectory();
    const first = await lockDirectory(directory);
    expect(await lockDirectory(directory)).toMatchObject({ kind: 'held', holder: { pid: process.pid } });
    if (first.kind === 'locked') await first.release();
    expect((await lockDirectory(directory)).kind).toBe('locked');
  });

  test('of a process that is gone is taken over', async () => {
    const directory = await openDirectory();
    const child = spawn('true');
    await once(child, 'exit');
    await writeFile(join(directory, 'node.lock.3'), JSON.stringify({ pid: child.pid, identity: 'boot 1' }));
    expect((await lockDirectory(directory)).kind).toBe('locked');
  });

  test('of a process whose number another one has by now is taken over', async () => {
    const directory = await openDirectory();
    const stale = { pid: process.pid, identity: 'an earlier boot 4711' };
    await writeFile(join(directory, 'node.lock.3'), JSON.stringify(stale));
    expect((await lockDirectory(directory)).kind).toBe('locked');
  });

  test.each(['', 'null', '{"pid":', '{"pid":"one"}'])('that reads %j is taken over', async (text) => {
    const directory = await openDirectory();
    await writeFile(join(directory, 'node.lock.3'), text);
    expect((await lockDirectory(directory)).kind).toBe('locked');
  });

  test('goes to one of many that find it stale, and leaves nothing but itself behind', async () => {
    for (let round = 0; round < 20; round++) {
      const directory = await openDirectory();
      await writeFile(join(directory, 'node.lock.3'), JSON.stringify({ pid: 1, identity: 'stale' }));
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => lockDirectory(directory)));
      expect(outcomes.filter(({ kind }) => kind === 'locked')).toHaveLength(1);
      expect(await readdir(directory)).toEqual(['node.lock.4']);
    }
  });
});

test('a lock can be read by every user, since root may have made it once', async () => {
  const directory = await openDirectory();
  const lock = await lockDirectory(directory);
  const mode = async () => (await stat(join(directory, 'node.lock.1'))).mode & 0o777;
  expect(await mode()).toBe(0o644);
  if (lock.kind === 'locked') await lock.release();
  expect(await mode()).toBe(0o644);
});

describe('a data directory', () => {
  test('is made, for its owner alone, with everything above it', async () => {
    const path = join(await openDirectory(), 'a', 'b');
    const dataDir = await openDataDir(path);
    expect(dataDir.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(asRoot ? 0o711 : 0o700);
    await dataDir.release();
  });

  test('of a person keeps the mode that it has', async () => {
    const path = await openDirectory();
    await chmod(path, 0o750);
    const dataDir = await openDataDir(path);
    expect((await stat(path)).mode & 0o777).toBe(0o750);
    await dataDir.release();
  });

  test('is one node’s at a time', async () => {
    const path = await openDirectory();
    const first = await openDataDir(path);
    await expect(openDataDir(path)).rejects.toThrow(
      new RegExp(
        `^Another node \\(process ${process.pid}\\) runs on the directory ${path}: stop it, or set DATA_DIR`,
      ),
    );
    await first.release();
    await (await openDataDir(path)).release();
  });

  test('keeps texts that only the owner may read', async () => {
    const path = await openDirectory();
    const dataDir = await openDataDir(path);
    expect(await dataDir.read('note')).toBeNull();
    await dataDir.write('note', 'first');
    await dataDir.write('note', 'second');
    expect(await dataDir.read('note')).toBe('second');
    expect((await stat(join(path, 'note'))).mode & 0o777).toBe(0o600);
    expect((await readdir(path)).sort()).toEqual(['node.lock.1', 'note']);
    await dataDir.release();
  });

  test('that is a file, or lies below one, is refused with a way out', async () => {
    const file = join(await openDirectory(), 'file');
    await writeFile(file, '');
    await expect(openDataDir(file)).rejects.toThrow(/can't be used \(EEXIST\).*set DATA_DIR to another/);
    await expect(openDataDir(join(file, 'below'))).rejects.toThrow(/can't be used \(ENOTDIR\)/);
  });

  test('that this user may not write is refused with a way out', async () => {
    const parent = await openDirectory();
    const path = join(parent, 'readonly');
    await mkdir(path, { mode: 0o555 });
    const nobody = 65_534;
    if (asRoot) process.seteuid?.(nobody);
    try {
      await expect(openDataDir(path)).rejects.toThrow(
        /can't be (used|written) \(EACCES\).*chown.*set DATA_DIR to another/,
      );
    } finally {
      if (asRoot) process.seteuid?.(0);
    }
  });

  test('names its node after the host, the same each time, unlike any other directory', async () => {
    const [one, other] = await Promise.all([
      openDataDir(await openDirectory()),
      openDataDir(await openDirectory()),
    ]);
    const id = await keptNodeId(one);
    expect(id).toMatch(/^[A-Za-z0-9-]{1,40}-[0-9a-f]{6}$/);
    expect(
      id.startsWith(
        hostname()
          .slice(0, 3)
          .replaceAll(/[^A-Za-z0-9]/g, '-'),
      ),
    ).toBe(true);
    expect(await keptNodeId(one)).toBe(id);
    expect(await keptNodeId(other)).not.toBe(id);
    await Promise.all([one.release(), other.release()]);
  });
});

describe('the admin key', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let dataDir: DataDir;
  const keyPath = () => join(dataDir.path, 'admin-api-key');

  beforeEach(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url });
    pool.on('error', () => undefined); // The database is dropped while connections are closing.
    dataDir = await openDataDir(await openDirectory());
  });

  afterEach(async () => {
    await dataDir.release();
    await pool.end();
    await database.drop();
  });

  function find(options: { given?: string; production?: boolean; tokens?: boolean } = {}) {
    const { given = null, production = false, tokens = false } = options;
    return openAdminKey({ given, tokens, production, dataDir, keys: postgresApiKeys(pool) });
  }

  test('that is set is taken, and nothing is kept', async () => {
    expect(await find({ given: 'dev_admin_key' })).toEqual({ kind: 'set', key: 'dev_admin_key' });
    expect(await dataDir.read('admin-api-key')).toBeNull();
  });

  test('is made once, kept for the owner alone, and found again', async () => {
    const made = await find();
    expect(made).toEqual({ kind: 'kept', key: expect.stringMatching(/^ss_00000000[A-Za-z0-9_-]{32}$/) });
    expect((await stat(keyPath())).mode & 0o777).toBe(0o600);
    expect(await find()).toEqual(made);
    expect(await readFile(keyPath(), 'utf8')).toBe(made.kind === 'kept' ? `${made.key}\n` : '');
  });

  test('is not made where the database has active keys that this node does not know', async () => {
    await postgresApiKeys(pool).insertKey(hashApiKey('ss_of_someone_else'), bootstrapAdmin);
    expect(await find()).toEqual({ kind: 'unknown' });
    expect(await find({ production: true })).toEqual({ kind: 'unknown' });
    expect(await dataDir.read('admin-api-key')).toBeNull();
  });

  test('that was kept and then revoked stays revoked', async () => {
    const keys = postgresApiKeys(pool);
    const made = await find();
    if (made.kind !== 'kept') throw new Error('expected a kept key');
    await keys.insertKey(hashApiKey('ss_successor'), bootstrapAdmin);
    await keys.revoke(hashApiKey(made.key));
    expect(await find()).toEqual({ kind: 'unknown' });

    await keys.revoke(hashApiKey('ss_successor'));
    const successor = await find();
    expect(successor).toMatchObject({ kind: 'kept' });
    expect(successor).not.toEqual(made);
  });

  test('that is set replaces the one that was set before, and that one never comes back', async () => {
    const keys = postgresApiKeys(pool);
    await find({ given: 'ss_first' });
    expect(await find({ given: 'ss_second' })).toEqual({ kind: 'set', key: 'ss_second' });
    expect(await keys.findByHash(hashApiKey('ss_first'))).toMatchObject({ active: false });
    expect(await find({ given: 'ss_first' })).toEqual({ kind: 'revoked' });
    expect(await keys.findByHash(hashApiKey('ss_second'))).toMatchObject({ active: true });
  });

  test('that is set and revoked stops the start unless there is another way in', async () => {
    const keys = postgresApiKeys(pool);
    await find({ given: 'ss_only' });
    await keys.revoke(hashApiKey('ss_only'));
    await expect(find({ given: 'ss_only', production: true })).rejects.toThrow(/revoked or replaced/);
    expect(await find({ given: 'ss_only', tokens: true })).toEqual({ kind: 'revoked' });
    await keys.insertKey(hashApiKey('ss_of_a_tenant'), { ...bootstrapAdmin, admin: false });
    expect(await find({ given: 'ss_only' })).toEqual({ kind: 'revoked' });
  });

  test('is not needed in production where tokens are accepted', async () => {
    expect(await find({ production: true, tokens: true })).toEqual({ kind: 'unknown' });
  });

  test('is never made in production, where a database without keys stops the start', async () => {
    await expect(find({ production: true })).rejects.toThrow(
      /neither BOOTSTRAP_ADMIN_API_KEY nor JWT_SECRET is set/,
    );
    expect(await dataDir.read('admin-api-key')).toBeNull();
  });
});
