import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileOutput, readExportProgress } from '../../bin/export/export-file.ts';
import { exportStream } from '../../bin/export/export-stream.ts';
import { httpSource } from '../../bin/export/http-source.ts';
import { SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { bootstrapAdmin } from '../../domain/access.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import type { Sequence, World } from '../../domain/types.ts';
import { fillStore, type FilledStore } from '../support/filled-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

const cli = join(import.meta.dirname, '../../bin/sequencer.ts');
const worlds = ['ves', 'legacy'] as const;

let database: TestDatabase;
let node: VesNode;
let store: FilledStore;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-export-'));
  database = await createTestDatabase();
  node = await openVesNode(database.url);
  store = await fillStore(node);
});
afterAll(async () => {
  await node?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function sequencer(...args: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(cli, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function exportArgs(world: World, ...more: string[]): string[] {
  return ['export', '--tenant', store.tenantId, '--store', store.storeId, '--world', world, ...more];
}

function overHttp(key = adminKey): string[] {
  return ['--url', node.url, '--key', key];
}

async function verified(file: string): Promise<any> {
  const { code, stdout } = await sequencer('verify', file, '--json');
  return { code, report: JSON.parse(stdout).files[0] };
}

describe.each(worlds)('an export of a %s stream', (world) => {
  test('over HTTP verifies', async () => {
    const file = join(folder, `${world}-http.jsonl`);
    const { code, stderr, stdout } = await sequencer(...exportArgs(world, ...overHttp(), '--output', file));
    expect(stderr).toBe(`Wrote ${store.eventCount} events up to 18, and 3 commitments.\n`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const { code: verdict, report } = await verified(file);
    expect(verdict).toBe(0);
    expect(report.counts).toMatchObject({
      order: { held: 18, failed: 0 },
      root: { held: 3, failed: 0 },
      chain: { held: 3, failed: 0 },
      'commitment-signature': { held: 3, failed: 0 },
      complete: { held: 1 },
    });
    expect(report.checks).toEqual([]);
  });

  test('from the database verifies, with the stored leaves', async () => {
    const { code, stdout } = await sequencer(...exportArgs(world, '--database-url', database.url));
    expect(code).toBe(0);
    const file = join(folder, `${world}-database.jsonl`);
    writeFileSync(file, stdout);
    const { code: verdict, report } = await verified(file);
    expect(verdict).toBe(0);
    expect(report.counts).toMatchObject({ leaf: { held: 18, failed: 0 } });
    if (world === 'ves') expect(report.counts).toMatchObject({ 'signing-hash': { held: 18, failed: 0 } });
  });

  test('from the middle on says what it can not check', async () => {
    const file = join(folder, `${world}-middle.jsonl`);
    await sequencer(...exportArgs(world, ...overHttp(), '--from', '8', '--output', file));
    const { code, report } = await verified(file);
    expect(code).toBe(0);
    expect(report.counts).toMatchObject({ order: { held: 11 }, root: { held: 0, unchecked: 1 } });
  });

  test('that was cut off at any byte goes on to the same bytes', async () => {
    const whole = join(folder, `${world}-whole.jsonl`);
    const cut = join(folder, `${world}-cut.jsonl`);
    const run = async (file: string): Promise<void> => {
      const resumed = await readExportProgress(file);
      const client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 1 });
      const source = httpSource(client, { ...store, world });
      const output = new FileOutput(file, resumed);
      const exportedAt = '2026-01-31T12:00:00Z';
      const stream = { tenantId: store.tenantId, storeId: store.storeId, world };
      const onEvents = () => undefined;
      await exportStream({ source, stream, output, from: 1 as Sequence, resumed, exportedAt, onEvents });
      await output.close();
      await source.close();
    };
    await run(whole);
    const bytes = readFileSync(whole);
    const withoutKeys = (text: Buffer): string[] =>
      text
        .toString()
        .split('\n')
        .filter((line) => !line.includes('_key"'));
    const lineEnds = [...bytes.keys()].filter((at) => bytes[at] === 0x0a);
    for (const end of [0, 1, ...lineEnds.flatMap((at) => [at - 7, at, at + 1])]) {
      writeFileSync(cut, bytes.subarray(0, end));
      await run(cut);
      // A key may stand there twice.
      expect(withoutKeys(readFileSync(cut))).toEqual(withoutKeys(bytes));
    }
  });
});

test('an export that goes on ends at the head that it began with', async () => {
  const file = join(folder, 'grown.jsonl');
  await sequencer(...exportArgs('legacy', ...overHttp(), '--output', file));
  const lines = readFileSync(file, 'utf8').split('\n');
  const grown = [lines[0]!.replace('"head":18', '"head":12'), ...lines.slice(1, 5), ''].join('\n');
  writeFileSync(file, grown);
  const resumed = await sequencer(...exportArgs('legacy', ...overHttp(), '--output', file, '--resume'));
  expect(resumed).toMatchObject({ code: 0, stderr: 'Wrote 12 events up to 12, and 3 commitments.\n' });
});

test("a key that may only read gets everything, the agents' public keys included", async () => {
  const key = 'ss_export_reader';
  const principal = { ...bootstrapAdmin, tenantId: store.tenantId, write: false, admin: false };
  await node.storage.keys.insertKey(hashApiKey(key), principal);
  const file = join(folder, 'reader.jsonl');
  const { code, stderr } = await sequencer(...exportArgs('ves', ...overHttp(key), '--output', file));
  expect(code).toBe(0);
  expect(stderr).not.toMatch(/are not among them/);
  expect((await verified(file)).code).toBe(0);
});

describe('the command', () => {
  const [tenant, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
  test.each([
    [['export'], /required option '--tenant/],
    [['export', '--tenant', 'x', '--store', 'y'], /It must be a UUID/],
    [['export', '--tenant', tenant, '--store', other], /either --url or --database-url/],
    [['export', '--tenant', tenant, '--store', other, '--url', 'http://x'], /--url also needs --key/],
  ])('refuses %j with a sentence', async (args, complaint) => {
    const { code, stderr } = await sequencer(...args);
    expect(stderr).toMatch(complaint);
    expect(code).toBe(2);
  });

  test('leaves an older file alone when it can not even begin', async () => {
    const file = join(folder, 'older.jsonl');
    writeFileSync(file, 'older\n');
    const { code, stderr } = await sequencer(
      ...exportArgs('ves', ...overHttp('ss_nobody'), '--output', file),
    );
    expect(stderr).toMatch(/answered 401/);
    expect(code).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe('older\n');
  });

  test('does not go on with a file that holds something else', async () => {
    const file = join(folder, 'other.jsonl');
    writeFileSync(file, '{"format":"other"}\n');
    const args = exportArgs('ves', ...overHttp(), '--output', file, '--resume');
    expect(await sequencer(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is no export/),
    });
    copyFileSync(join(folder, 'legacy-http.jsonl'), file);
    expect(await sequencer(...args)).toMatchObject({ stderr: expect.stringMatching(/holds another stream/) });
  });

  test('asks again while the node has no room, and for less', async () => {
    const asked: number[] = [];
    let refusals = 2;
    const proxy: Server = createServer((request, response) => {
      const limit = /events\?.*limit=(\d+)/.exec(request.url ?? '')?.[1];
      if (limit !== undefined) asked.push(Number(limit));
      if (limit !== undefined && refusals-- > 0) {
        response.writeHead(503, { 'retry-after': '0' }).end();
        return;
      }
      const headers = { authorization: request.headers.authorization ?? '' };
      void fetch(node.url + request.url, { headers }).then(async (answer) => {
        response.writeHead(answer.status).end(await answer.text());
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const { code, stdout } = await sequencer(...exportArgs('ves', '--url', url, '--key', adminKey));
    proxy.close();
    expect(code).toBe(0);
    expect(asked.slice(0, 3)).toEqual([18, 9, 4]);
    expect(stdout.match(/"type":"event"/g)).toHaveLength(18);
  });
});
