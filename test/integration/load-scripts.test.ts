import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { parse } from '@swc/core';
import { SigningAgent } from '../../bin/driver/signing-agent.ts';
import { publishedTiers } from '../../bench/performance/published-figures.ts';
import { tiers } from '../load/tiers.js';
import { makeSignedBodies } from '../load/signed-bodies.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTarget, type Target } from '../../bench/target/target.ts';

const folder = join(import.meta.dirname, '../load');
const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
const scripts = ['ingest.js', 'sustained.js', 'stress.js', 'mixed.js'];
const tenantId = '11111111-1111-4111-8111-111111111111';

let database: TestDatabase;
let node: Target;

beforeAll(async () => {
  database = await createTestDatabase();
  node = await startTarget(database.url);
});

afterAll(async () => {
  await node.stop();
  await database.drop();
});

test.each(files)('%s is a module that parses', async (name) => {
  const module = await parse(readFileSync(join(folder, name), 'utf8'), {
    syntax: 'ecmascript',
    target: 'es2022',
  });
  expect(module.body.length).toBeGreaterThan(0);
});

test('the tiers are those of the performance report', () => {
  const ours = publishedTiers.map(({ name, eventsPerSecond, ingestMs }) => [
    name.toLowerCase(),
    { eventsPerSecond, ingestMs: [...ingestMs] },
  ]);
  expect(tiers).toEqual(Object.fromEntries(ours));
});

test.each(scripts)(
  '%s names scenarios and thresholds, and every request of it is accepted by a node',
  async (name) => {
    const k6 = await runScript(name, { BATCH: '3' });
    expect(Object.keys(k6.options.scenarios)).not.toEqual([]);
    expect(Object.keys(k6.options.thresholds)).not.toEqual([]);
    expect(k6.requests.length).toBeGreaterThan(0);
    expect(k6.requests.filter(({ status }) => status !== 200 && status !== 201)).toEqual([]);
    expect(k6.failedChecks).toEqual([]);
  },
);

test.each(['ingest.js', 'sustained.js', 'stress.js'])(
  '%s sends signed requests that a node accepts',
  async (name) => {
    const agent = new SigningAgent();
    const response = await fetch(`${node.url}/api/v1/agents/keys`, {
      method: 'POST',
      headers: { authorization: `ApiKey ${node.apiKey}`, 'content-type': 'application/json' },
      body: agent.registration(tenantId),
    });
    expect(response.ok).toBe(true);
    const storeIds = ['33333333-3333-4333-8333-333333333333'];
    const bodies = await makeSignedBodies({ tenantId, storeIds, agents: [agent], events: 3, requests: 2 });
    const k6 = await runScript(name, { SIGNED: '1' }, JSON.stringify(bodies));
    expect(k6.requests).toEqual([{ method: 'POST', path: '/api/v1/ves/events/ingest', status: 200 }]);
    expect(k6.failedChecks).toEqual([]);
  },
);

interface K6Run {
  readonly options: { readonly scenarios: Record<string, { exec?: string }>; readonly thresholds: object };
  readonly requests: { readonly method: string; readonly path: string; readonly status: number }[];
  readonly failedChecks: string[];
}

/** Runs each scenario of a script once, with modules in place of k6's whose requests really go to the node. */
async function runScript(name: string, env: Record<string, string>, opened = ''): Promise<K6Run> {
  const run = { requests: [] as K6Run['requests'], failedChecks: [] as string[] };
  const context = vm.createContext({
    __ENV: { URL: node.url, API_KEY: node.apiKey, CONNECTIONS: '1', ...env },
    __VU: 1,
    open: () => opened,
    console,
  });
  const modules = new Map<string, vm.Module>(
    Object.entries(standIns(run)).map(([id, exports]) => [id, synthetic(exports, context)]),
  );
  const load = (id: string): vm.Module => {
    const known = modules.get(id);
    if (known !== undefined) return known;
    const source = readFileSync(join(folder, id), 'utf8');
    const module = new vm.SourceTextModule(source, { context, identifier: id });
    modules.set(id, module);
    return module;
  };
  const main = load(name);
  await main.link((specifier) => load(specifier.replace(/^\.\//, '')));
  await main.evaluate();
  const script = main.namespace as Record<string, unknown> & { options: K6Run['options'] };
  for (const { exec = 'default' } of Object.values(script.options.scenarios)) (script[exec] as () => void)();
  return { options: script.options, ...run };
}

/** What the scripts use of k6; its requests are made as k6 makes them, one after the other while the script waits. */
function standIns({ requests, failedChecks }: Pick<K6Run, 'requests' | 'failedChecks'>) {
  const send = (
    method: string,
    url: string,
    body: string | null,
    { headers }: { headers: Record<string, string> },
  ) => {
    const answer = requestNow({ method, url, body, headers });
    requests.push({ method, path: new URL(url).pathname, status: answer.status });
    return {
      ...answer,
      json: (field: string) => (JSON.parse(answer.body) as Record<string, unknown>)[field],
    };
  };
  const http = {
    get: (url: string, parameters: never) => send('GET', url, null, parameters),
    post: (url: string, body: string, parameters: never) => send('POST', url, body, parameters),
    setResponseCallback: () => undefined,
    expectedStatuses: () => undefined,
  };
  const check = (value: unknown, checks: Record<string, (value: unknown) => boolean>): boolean => {
    const failed = Object.keys(checks).filter((name) => !checks[name]!(value));
    failedChecks.push(...failed);
    return failed.length === 0;
  };
  const fail = (reason: string): never => {
    throw new Error(reason);
  };
  class SharedArray {
    constructor(_name: string, make: () => unknown[]) {
      return make();
    }
  }
  return {
    k6: { check, fail, sleep: () => undefined },
    'k6/data': { SharedArray },
    'k6/http': { default: http },
  };
}

interface PlainAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string>;
}

const fetchForParent = `
  const { url, ...request } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  fetch(url, request).then(async (answer) => {
    const headers = Object.fromEntries(answer.headers);
    process.stdout.write(JSON.stringify({ status: answer.status, body: await answer.text(), headers }));
  });`;

/** Scripts of k6 wait for each answer where they ask, which no API of this runtime does: so another process asks. */
function requestNow(request: object): PlainAnswer {
  const output = execFileSync(process.execPath, ['-e', fetchForParent], { input: JSON.stringify(request) });
  return JSON.parse(output.toString()) as PlainAnswer;
}

function synthetic(exports: Record<string, unknown>, context: vm.Context): vm.Module {
  const names = Object.keys(exports);
  return new vm.SyntheticModule(
    names,
    function () {
      for (const name of names) this.setExport(name, exports[name]);
    },
    { context },
  );
}
