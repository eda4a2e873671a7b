import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly dependencies?: object }>>;
}
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
const auditPath = '/-/npm/v1/security/advisories/bulk';
const packageName = '@noble/hashes';

let cache: string;
beforeAll(() => (cache = mkdtempSync(join(tmpdir(), 'sequencer-audit-'))));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

/** What the script prints and how it ends, with this server as the registry. */
async function checkAgainst(registry: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['bin/check-audit.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: cache, npm_config_registry: registry, npm_config_cache: cache },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

async function withRegistry<Result>(
  listener: RequestListener,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A registry that knows these advisories, and of packages only what npm asks for to tell whether there is a fix. */
function registryWith(advisories: object): RequestListener {
  return (req, res) => {
    res.setHeader('content-type', 'application/json');
    if (req.method === 'POST' && req.url === auditPath) return void res.end(JSON.stringify(advisories));
    const name = decodeURIComponent(req.url?.slice(1) ?? '');
    const { version = '0.0.0', dependencies = {} } = lock.packages[`node_modules/${name}`] ?? {};
    const versions = { [version]: { name, version, dependencies, dist: {} } };
    res.end(JSON.stringify({ name, versions, 'dist-tags': { latest: version } }));
  };
}

function advisory(severity: string): object {
  const id = severity.length;
  return {
    [packageName]: [
      {
        id,
        url: `https://advisories.example/${id}`,
        title: 'a finding',
        severity,
        vulnerable_versions: '<99',
        cwe: [],
        cvss: { score: 0, vectorString: null },
      },
    ],
  };
}

test('a finding of high severity fails and names the package', async () => {
  const { code, output } = await withRegistry(registryWith(advisory('high')), checkAgainst);
  expect(output).toContain(packageName);
  expect(code).toBe(1);
});

test.each([
  ['no finding', {}],
  ['a finding of moderate severity', advisory('moderate')],
])('%s passes', async (_name, advisories) => {
  const { code, output } = await withRegistry(registryWith(advisories), checkAgainst);
  expect(output).toBe('npm audit: no finding of high or critical severity.\n');
  expect(code).toBe(0);
});

test.each([405, 500])(
  'a registry that answers %d passes, and says loudly that nothing was checked',
  async (status) => {
    const { code, output } = await withRegistry((_req, res) => res.writeHead(status).end(), checkAgainst);
    expect(output).toMatch(/^npm audit: NOT CHECKED, .+\n$/);
    expect(code).toBe(0);
  },
);

test('a registry that can not be reached passes, and says loudly that nothing was checked', async () => {
  const { code, output } = await checkAgainst('http://127.0.0.1:1/');
  expect(output).toMatch(/^npm audit: NOT CHECKED, .+\n$/);
  expect(code).toBe(0);
});
