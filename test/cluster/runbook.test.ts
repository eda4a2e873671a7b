import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cluster, startCluster } from '../../bin/cluster/cluster.ts';
import { installDebianPrograms } from '../support/debian-programs.ts';
import { readRules } from '../support/prometheus-rules.ts';

const root = join(import.meta.dirname, '../..');
const runbook = join(root, 'docs/runbook');
const pages = readdirSync(runbook)
  .filter((name) => name !== 'README.md')
  .map((name) => ({ name, text: readFileSync(join(runbook, name), 'utf8') }));

/** What a shell block is marked with when it changes nothing and needs nothing but the settings of the README. */
const runnableBlock = /^( *)```sh runnable\n([\s\S]*?)^ *```$/gm;
const blocks = pages.flatMap(({ name, text }) =>
  [...text.matchAll(runnableBlock)].map(([, , script]) => ({ name, script: script! })),
);
const scripts = [...new Set(blocks.map(({ script }) => script))];

let cluster: Cluster;
let directory: string;
beforeAll(async () => {
  installDebianPrograms({ 'postgresql-client': '/usr/bin/psql', curl: '/usr/bin/curl' });
  directory = mkdtempSync(join(tmpdir(), 'sequencer-runbook-'));
  chmodSync(directory, 0o755); // Postgres does not run as root, so another user must get in.
  cluster = await startCluster({ dataDir: join(directory, 'cluster'), nodes: 2 });
}, 180_000);
afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

test('every page has the same four parts', () => {
  for (const { name, text } of pages) {
    const parts = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect({ name, parts }).toEqual({
      name,
      parts: ['What you see', 'What it means', 'What to do', 'How to check that it is over'],
    });
  }
});

test('the index has every alert and every page', () => {
  const index = readFileSync(join(runbook, 'README.md'), 'utf8');
  const alerts = ['alerts.yml', 'slo.yml'].flatMap(readRules).flatMap(({ alert }) => alert ?? []);
  expect(alerts.filter((alert) => !index.includes(`\`${alert}\``))).toEqual([]);
  expect(pages.filter(({ name }) => !index.includes(`(${name})`))).toEqual([]);
});

test.each(scripts)('a command of the runbook runs as it is written: %s', async (script) => {
  const run = promisify(execFile)('bash', ['-c', `set -euo pipefail\n${script}`], {
    cwd: root,
    env: {
      ...process.env,
      SEQUENCER: cluster.url,
      NODES: cluster.nodes.map(({ url }) => url).join(' '),
      SEQUENCER_API_KEY: cluster.adminKey,
      DATABASE_URL: cluster.postgres.url,
    },
  });
  await expect(run).resolves.toMatchObject({ stdout: expect.stringMatching(/\S/) as string });
});
