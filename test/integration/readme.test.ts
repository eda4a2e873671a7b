import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestNodes } from '../support/node-process.ts';

const root = join(import.meta.dirname, '../..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1]!);
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

function runShell(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('bash', ['-euc', script], { cwd: root }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

const nodes = new TestNodes();
afterAll(() => nodes.stop());

test('the first five minutes work as the README says', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sequencer-readme-'));
  try {
    // The start that the README shows, with no settings but a place of its own and any free port.
    const node = await nodes.start({ DATA_DIR: dataDir, BOOTSTRAP_ADMIN_API_KEY: '' });
    const here = (text: string) =>
      text.replaceAll('http://127.0.0.1:8080', node.url).replaceAll('.data/', `${dataDir}/`);
    const posting = here(commands.find((block) => block.includes('events/ingest'))!);
    const reading = here(commands.find((block) => block.includes('api/v1/head'))!);

    const first = JSON.parse(await runShell(posting)) as Record<string, unknown>;
    expect(first).toMatchObject({ events_accepted: 1, assigned_sequence_start: 1, head_sequence: 1 });
    const again = JSON.parse(await runShell(posting)) as Record<string, unknown>;
    expect(again).toMatchObject({
      events_accepted: 0,
      rejections: [{ reason: 'DuplicateEventId', sequence_number: 1 }],
    });
    const settings = posting.slice(0, posting.indexOf('curl'));
    const output = await runShell(`${settings}\n${reading.replaceAll(/^curl .*$/gm, '$&; echo')}`);
    const [events, head, history] = output.trim().split('\n');
    expect(events).toContain('"payload":{"total": 99.90, "currency": "EUR"}');
    expect(JSON.parse(head!)).toEqual({ head_sequence: 1 });
    expect(JSON.parse(history!)).toMatchObject({ entity_id: 'ORD-1', count: 1, total: 1, has_more: false });
    await node.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('a receipt is verified as the README says', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sequencer-readme-'));
  try {
    const node = await nodes.start({ DATA_DIR: dataDir, BOOTSTRAP_ADMIN_API_KEY: '' });
    const settings = commands
      .find((block) => block.includes('export URL'))!
      .split('\n')
      .slice(0, 2)
      .join('\n');
    const here = (text: string) =>
      `${settings}\n${text}`
        .replaceAll('http://127.0.0.1:8080', node.url)
        .replaceAll('.data/', `${dataDir}/`)
        .replaceAll(/[a-z-]+\.json/g, `${dataDir}/$&`);
    const posting = commands.find((block) => block.includes('ves/events/ingest'))!;
    expect(await runShell(here(posting))).toMatch(/"eventsAccepted":1.*"signatureAlg":"ed25519"/);
    const verifying = commands.find((block) => block.includes('sequencer verify'))!;
    expect(verifying.trim().split('\n')).toHaveLength(4);
    const output = await runShell(here(verifying));
    expect(output).toMatch(/the sequencer signed the receipt +holds once/);
    expect(output).toMatch(/the path leads from the leaf to the root +holds once/);
    expect(output).toMatch(/the sequencer signed the commitment +holds once/);
    expect(output).toMatch(/Everything that was checked holds\.\n$/);
    await node.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('every npm script that the README names exists', () => {
  const named = [...readme.matchAll(/npm (?:run )?(start|test|[a-z]+:[a-z-]+|demo)\b/g)].map(
    (match) => match[1]!,
  );
  expect(named).toEqual(expect.arrayContaining(['start', 'test', 'demo', 'bench:ingest']));
  for (const script of named) expect(Object.keys(manifest.scripts)).toContain(script);
});

test('every page that the README links to exists', async () => {
  const links = [...readme.matchAll(/\]\((docs\/[^)]+\.md|CHANGELOG\.md)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) await expect(readFile(join(root, link), 'utf8')).resolves.toMatch(/^# /);
});
