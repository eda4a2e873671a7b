import { execFileSync, spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { NodeProcess, startNodeProcess } from '../../bin/driver/node-process.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openDirectory, removeDirectories } from '../support/start-directories.ts';

const nodes: NodeProcess[] = [];
const dataDirs: string[] = [];

async function newDataDir(): Promise<string> {
  const dataDir = join(await openDirectory(), 'data');
  dataDirs.push(dataDir);
  return dataDir;
}

/** A node that runs and is ready. */
async function start(env: Record<string, string>): Promise<NodeProcess> {
  const node = await startNodeProcess({ env: { SHUTDOWN_DELAY_SECS: '0', ...env } });
  nodes.push(node);
  return node;
}

/** A start that is not waited for, or that is not to succeed. */
function begin(env: Record<string, string>): NodeProcess {
  const node = new NodeProcess(
    spawn(process.execPath, [join(import.meta.dirname, '../../bin/start.ts')], {
      env: { PATH: process.env.PATH, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  nodes.push(node);
  return node;
}

/** What a start that fails says, and with which exit code it ends. */
async function failingStart(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const node = begin(env);
  const { code } = await node.ended;
  return { code, output: node.output };
}

/** Does what a printed curl command would; a shell takes it apart, as it would for whoever pastes it. */
async function paste(node: NodeProcess, after: string, env: Record<string, string> = {}): Promise<any> {
  const lines = node.output.split('\n');
  const command = lines[lines.findIndex((line) => line.startsWith(after)) + 1] ?? '';
  const shell = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`;
  const words = execFileSync('sh', ['-c', shell], { env, encoding: 'utf8' }).split('\0').slice(0, -1);
  const valueOf = (flag: string) => words.flatMap((word, i) => (words[i - 1] === flag ? [word] : []));
  const [body] = valueOf('-d');
  const response = await fetch(words.find((word) => word.startsWith('http')) ?? '', {
    method: body === undefined ? 'GET' : 'POST',
    headers: valueOf('-H').map((header) => header.split(': ') as [string, string]),
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: await response.json() };
}

async function statusOf(node: NodeProcess, path: string): Promise<number> {
  const response = await fetch(`${node.url}${path}`);
  await response.arrayBuffer();
  return response.status;
}

async function postmasterPid(dataDir: string): Promise<number | null> {
  const text = await readFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').catch(
    () => null,
  );
  return text === null ? null : Number(text.split('\n')[0]);
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !condition();) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await sleep(20);
  }
}

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  for (const dataDir of dataDirs.splice(0)) {
    const orphan = await postmasterPid(dataDir);
    if (orphan !== null) process.kill(orphan, 'SIGQUIT');
  }
});

afterAll(removeDirectories);

describe('a start without settings', () => {
  test('says within 15 s where the node is, where its data lies, and what to paste, and that works', async () => {
    const dataDir = await newDataDir();
    const began = performance.now();
    const node = await start({ DATA_DIR: dataDir });
    expect(performance.now() - began).toBeLessThan(15_000);

    const keyFile = join(dataDir, 'admin-api-key');
    const key = (await readFile(keyFile, 'utf8')).trim();
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    for (const said of [node.url, dataDir, key, keyFile, 'making a database', 'NATS_URL']) {
      expect(node.output).toContain(said);
    }
    expect(await paste(node, 'Append an event')).toMatchObject({
      status: 200,
      body: { events_accepted: 1, head_sequence: 1 },
    });
    expect(await paste(node, 'Read its stream')).toMatchObject({
      status: 200,
      body: { count: 1, events: [{ envelope: { entity_id: 'ORD-1', sequence_number: 1 } }] },
    });
  });

  test('finds key, name and events again after a stop, and after kill -9', async () => {
    const dataDir = await newDataDir();
    const first = await start({ DATA_DIR: dataDir });
    const name = /The node (\S+) answers/.exec(first.output)?.[1] ?? '';
    const key = (await readFile(join(dataDir, 'admin-api-key'), 'utf8')).trim();
    await paste(first, 'Append an event');
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(await postmasterPid(dataDir)).toBeNull();

    const second = await start({ DATA_DIR: dataDir });
    expect(second.output).toContain(`The node ${name} answers`);
    expect(second.output).toContain(key);
    expect(await paste(second, 'Append an event')).toMatchObject({ body: { head_sequence: 2 } });
    second.kill('SIGKILL');
    await second.ended;
    expect(await postmasterPid(dataDir)).not.toBeNull();

    const third = await start({ DATA_DIR: dataDir });
    expect(third.output).toContain('taking over the Postgres that an earlier node left running');
    expect(await paste(third, 'Read its stream')).toMatchObject({ body: { count: 2 } });
  });

  test('in JSON writes nothing but JSON, and no key', async () => {
    const dataDir = await newDataDir();
    const node = await start({ DATA_DIR: dataDir, LOG_FORMAT: 'json' });
    const key = (await readFile(join(dataDir, 'admin-api-key'), 'utf8')).trim();
    await node.stop();
    const lines = node.output.trim().split('\n');
    expect(lines.map((line) => typeof JSON.parse(line))).toEqual(lines.map(() => 'object'));
    expect(node.output).toContain(join(dataDir, 'admin-api-key'));
    expect(node.output).not.toContain(key);
  });
});

describe('a start with settings', () => {
  test('uses the Postgres and the admin key that it is given, starts none, and prints no secret', async () => {
    const database = await createTestDatabase();
    const key = 'a key that is not ours'.replaceAll(' ', '-').padEnd(32, 'x');
    const dataDir = await newDataDir();
    const url = new URL(database.url);
    url.password = 'hunter2';
    const node = await start({ DATA_DIR: dataDir, DATABASE_URL: url.href, BOOTSTRAP_ADMIN_API_KEY: key });

    expect(node.output).toContain(`the Postgres of DATABASE_URL (${url.host}${url.pathname})`);
    expect(node.output).not.toContain('hunter2');
    expect(node.output).not.toContain(key);
    await expect(stat(join(dataDir, 'postgres'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(join(dataDir, 'admin-api-key'))).rejects.toMatchObject({ code: 'ENOENT' });
    const withKey = { BOOTSTRAP_ADMIN_API_KEY: key };
    expect(await paste(node, 'Append an event', withKey)).toMatchObject({ body: { events_accepted: 1 } });
    await node.stop();

    const keyless = await start({ DATA_DIR: await newDataDir(), DATABASE_URL: database.url });
    expect(keyless.output).toContain('There are other credentials, so no admin key was made');
    await keyless.stop();
    await database.drop();
  });

  test('says that authentication is disabled, and what it prints works without a key', async () => {
    const env = { AUTH_MODE: 'disabled', ALLOW_AUTH_DISABLED: 'true' };
    const node = await start({ DATA_DIR: await newDataDir(), ...env });
    expect(node.output).toContain('Authentication is disabled');
    expect(await paste(node, 'Append an event')).toMatchObject({ body: { events_accepted: 1 } });
  });
});

describe('a start that can not succeed ends with 1 and a sentence:', () => {
  test('bad settings, all of them at once', async () => {
    const { code, output } = await failingStart({
      SEQUENCER_ENV: 'production',
      PORT: 'http',
      LOG_LEVEL: 'loud',
    });
    expect(code).toBe(1);
    expect(output).toMatch(/PORT is "http".*\n.*LOG_LEVEL is "loud".*\n.*DATABASE_URL is not set/);
    expect(output).not.toContain('    at ');
  });

  test('a second node on one DATA_DIR, which leaves the first alone', async () => {
    const dataDir = await newDataDir();
    const first = await start({ DATA_DIR: dataDir });
    const { code, output } = await failingStart({ DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(output).toContain(
      `Another node (process ${first.pid}) runs on the directory ${dataDir}: stop it, or set`,
    );
    expect(await statusOf(first, '/ready')).toBe(200);
  });

  test('a taken port, before a database is made for nothing', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const dataDir = await newDataDir();
    const { code, output } = await failingStart({ DATA_DIR: dataDir, PORT: String(port) });
    other.close();
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} of 127.0.0.1 is taken by another program: stop that, or set PORT`);
    await expect(stat(join(dataDir, 'postgres'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('an address of another machine', async () => {
    const { code, output } = await failingStart({ DATA_DIR: await newDataDir(), HOST: '192.0.2.1' });
    expect(code).toBe(1);
    expect(output).toContain('192.0.2.1 is no address of this machine: set HOST to 127.0.0.1');
  });

  test('a data directory that can not be one', async () => {
    const file = join(import.meta.dirname, 'start.test.ts');
    const { code, output } = await failingStart({ DATA_DIR: file });
    expect(code).toBe(1);
    expect(output).toContain(`The data directory ${file} can't be used (EEXIST)`);
  });

  test('a database that does not answer', async () => {
    const { code, output } = await failingStart({
      DATA_DIR: await newDataDir(),
      DATABASE_URL: 'postgres://sequencer:hunter2@127.0.0.1:1/none',
      DB_STARTUP_MAX_RETRIES: '0',
    });
    expect(code).toBe(1);
    expect(output).toMatch(/The database does not answer \(.*ECONNREFUSED.*\): check DATABASE_URL/);
    expect(output).not.toContain('    at ');
    expect(output).not.toContain('hunter2');
  });

  test('a database that refuses the user, or this user the schema', async () => {
    const database = await createTestDatabase('embedded', { empty: true });
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    const role = `reader_${Math.random().toString(36).slice(2)}`;
    await admin.query(`create role ${role} login`);
    const url = new URL(database.url);
    url.username = role;
    const missing = new URL('/no_such_database', database.url);
    for (const [given, sentence] of [
      [url, /refuses us \(permission denied for schema public\): check DATABASE_URL and the rights/],
      [missing, /refuses us \(.*database "no_such_database" does not exist\)/],
    ] as const) {
      const env = { DATA_DIR: await newDataDir(), DATABASE_URL: given.href, DB_STARTUP_MAX_RETRIES: '0' };
      const { code, output } = await failingStart(env);
      expect(output).toMatch(sentence);
      expect(code).toBe(1);
    }
    await admin.query(`drop role ${role}`);
    await admin.end();
    await database.drop();
  });

  test('a signal in the middle of it, which leaves no Postgres behind', async () => {
    const dataDir = await newDataDir();
    const node = begin({ DATA_DIR: dataDir });
    await waitFor(() => node.output.includes('making a database'));
    node.kill('SIGTERM');
    expect((await node.ended).code).toBe(1);
    expect(node.output).toContain('Stopped by a signal before the start was complete.');
    expect(await postmasterPid(dataDir)).toBeNull();
  });
});

describe('a signal', () => {
  test('SIGTERM turns /ready to 503 at once, serves on for the delay, and ends with 0', async () => {
    const dataDir = await newDataDir();
    const node = await start({ DATA_DIR: dataDir, SHUTDOWN_DELAY_SECS: '6' });
    const began = performance.now();
    node.kill('SIGTERM');
    await waitFor(() => node.output.includes('still serving'));
    expect(await statusOf(node, '/ready')).toBe(503);
    expect(await statusOf(node, '/health')).toBe(200);
    expect(await paste(node, 'Append an event')).toMatchObject({ body: { events_accepted: 1 } });
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeGreaterThanOrEqual(6_000);
    expect(await postmasterPid(dataDir)).toBeNull();
  });

  test('SIGINT skips the delay', async () => {
    const node = await start({ DATA_DIR: await newDataDir(), SHUTDOWN_DELAY_SECS: '60' });
    const began = performance.now();
    node.kill('SIGINT');
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
