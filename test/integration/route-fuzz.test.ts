import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import pg from 'pg';
import { type NodeProcess } from '../../bin/driver/node-process.ts';
import { sample } from '../../services/gateway/openapi/samples.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { type StrangeRequest, strangeRequests } from '../support/request-arbitrary.ts';
import { tokenSecret } from '../support/web-tokens.ts';

/** A longer run is `FUZZ_SECS=600 npm run test:jest -- test/integration/route-fuzz.test.ts`. */
const fuzzMs = Number(process.env.FUZZ_SECS ?? 25) * 1_000;
/** What a request may take, on a machine with other things to do. */
const answerMsMax = 10_000;
const memoryGrowthMax = 256 * 1_048_576;

const nodes = new TestNodes();
let database: TestDatabase;
let node: NodeProcess;
let sql: pg.Client;
const tenantKeys: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  node = await nodes.start({
    DATABASE_URL: database.url,
    JWT_SECRET: tokenSecret,
    PUBLIC_AGENT_REGISTRATION_ENABLED: 'true',
    PUBLIC_AGENT_REGISTRATION_RATE_LIMIT_PER_MINUTE: '100000',
    LOG_LEVEL: 'error',
  });
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  // So many that no single digit of a hash names one of them.
  for (let count = 0; count < 40; count++) {
    const response = await fetch(`${node.url}/api/v1/admin/tenants/${sample.tenant}/api-keys`, {
      method: 'POST',
      headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ admin: true }),
    });
    tenantKeys.push(`ApiKey ${((await response.json()) as { apiKey: string }).apiKey}`);
  }
});
afterAll(async () => {
  await sql.end();
  await nodes.stop();
  await database.drop();
});

async function answerTo(request: StrangeRequest): Promise<{ status: number; body: string }> {
  const { method, target, authorization, contentType, body } = request;
  const connection = await RawConnection.open(Number(new URL(node.url).port));
  const timer = setTimeout(() => connection.destroy(), answerMsMax);
  try {
    const head = [
      `${method} ${target} HTTP/1.1`,
      'host: x',
      ...(authorization === '' ? [] : [`authorization: ${authorization}`]),
      ...(body === null ? [] : [`content-type: ${contentType}`, `content-length: ${body.length}`]),
    ];
    connection.send(
      Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]),
    );
    const response = await connection.response();
    if (response === null) throw new Error('there was no answer in time');
    return response;
  } finally {
    clearTimeout(timer);
    connection.destroy();
  }
}

/** How much of everything there is that a request can make or change. */
async function stored(): Promise<unknown> {
  const { rows } = await sql.query(`
    select (select coalesce(sum(legacy_head + ves_head), 0) from streams) as events,
           (select count(*) from commitments) as commitments,
           (select count(*) from api_keys) as keys,
           (select count(*) from api_keys where active) as active_keys,
           (select count(*) from agent_keys) as agent_keys,
           (select count(*) from schemas) as schemas,
           (select count(*) from audit_log) as changes`);
  return rows[0];
}

function residentBytes(): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

test(
  'no request to any route is a fault of the node, hangs, or leaves a trace when it is refused',
  async () => {
    const statuses = new Map<number, number>();
    const operations = new Set<string>();
    const credentials = [`ApiKey ${adminKey}`, ...tenantKeys.slice(0, 3)];
    const memoryBefore = residentBytes();
    let before = await stored();
    await fc.assert(
      fc.asyncProperty(strangeRequests(credentials), async (request) => {
        const { status, body } = await answerTo(request);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        operations.add(request.operation);
        expect([status, status < 500 ? '' : body]).toEqual([status, '']);
        const after = await stored();
        if (status !== 200) expect(after).toEqual(before);
        before = after;
      }),
      { numRuns: 10_000_000, interruptAfterTimeLimit: fuzzMs },
    );
    const count = [...statuses.values()].reduce((sum, each) => sum + each, 0);
    const growth = residentBytes() - memoryBefore;
    console.log(
      `${count} requests to ${operations.size} operations, ${JSON.stringify(Object.fromEntries([...statuses].sort()))}, ` +
        `memory grew by ${Math.round(growth / 1_048_576)} MiB`,
    );
    expect(count).toBeGreaterThan(500);
    for (const status of [200, 400, 401, 404, 422]) expect(statuses.get(status)).toBeGreaterThan(0);
    expect(growth).toBeLessThan(memoryGrowthMax);
    expect(await bytesInFlight()).toBe(0);
  },
  fuzzMs + 60_000,
);

/** Of the whole node, which would keep what it forgets to give back. */
async function bytesInFlight(): Promise<number | undefined> {
  const response = await fetch(`${node.url}/api/v1/admin/cluster`, {
    headers: { authorization: `ApiKey ${adminKey}` },
  });
  const { nodes: found } = (await response.json()) as { nodes: { bytesInFlight: number }[] };
  return found[0]?.bytesInFlight;
}
