import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase } from '../support/postgres.ts';

const demo = join(import.meta.dirname, '../../bin/demo.ts');

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runDemo(...args: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(process.execPath, [demo, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const nodes = new TestNodes();
afterAll(() => nodes.stop());

test('the demo starts a node, finds everything in order, and leaves nothing behind', async () => {
  const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('sequencer-demo-'));
  const before = folders();
  const { code, stdout, stderr } = await runDemo('--events', '400', '--stores', '3');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/events +400 in 3 streams/);
  expect(stdout).toMatch(/P50 .* P95 .* P99/);
  expect(stdout).toMatch(/checked +400 events/);
  expect(stdout).toMatch(/result +all of it holds/);
  expect(code).toBe(0);
  expect(folders()).toEqual(before);
});

test('the demo uses a node that runs already', async () => {
  const database = await createTestDatabase();
  const node = await nodes.start({ DATABASE_URL: database.url });
  const { code, stdout } = await runDemo('--url', node.url, '--key', adminKey, '--events', '100');
  expect(stdout).toMatch(/result +all of it holds/);
  expect(code).toBe(0);
  await node.stop();
  await database.drop();
});

test('the demo fails with a sentence when the key is refused', async () => {
  const database = await createTestDatabase();
  const node = await nodes.start({ DATABASE_URL: database.url });
  const { code, stderr } = await runDemo(
    '--url',
    node.url,
    '--key',
    'ss_not_a_key_of_this_node',
    '--events',
    '100',
  );
  expect(stderr).toMatch(/The demo failed: a request was refused with status 401/);
  expect(code).toBe(1);
  await node.stop();
  await database.drop();
});

test('the demo asks for the key that a URL needs', async () => {
  expect(await runDemo('--url', 'http://127.0.0.1:1')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--url also needs --key/),
  });
});
