import { createHash } from 'node:crypto';
import type { NodeHealth } from '../../services/gateway/handlers/report-detailed-health.ts';
import { adminKey, openGateway, type OpenedGateway } from '../support/open-gateway.ts';

let gateway: OpenedGateway;
beforeAll(async () => (gateway = await openGateway()));
afterAll(() => gateway.stop());

const pool = { active: 1, idle: 2, max: 10 };
const well: NodeHealth = {
  databaseResponseTimeMs: 1.4,
  pool,
  circuits: [],
  leadership: [],
  rolledBackStores: 0,
  uptimeSecs: 61.7,
  runtime: 'node v24.1.0',
};
const circuit = {
  timesClosed: 0,
  slowCalls: 0,
  averageMs: 1.25,
  name: 'replica',
  state: 'closed',
  successes: 4,
  failures: 5,
  rejected: 6,
  timesOpened: 1,
} as const;
const detailed = (key = adminKey): Promise<Response> =>
  gateway.fetch('/health/detailed', { headers: { 'x-api-key': key } });

describe('/health/detailed', () => {
  test('tells an administrator how each part is', async () => {
    gateway.answerHealth = () => Promise.resolve(well);
    const response = await detailed();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'healthy',
      service: 'stateset-sequencer',
      version: '1.2.3',
      timestamp: expect.stringMatching(/\+00:00$/),
      components: {
        database: { name: 'postgresql', status: 'healthy', response_time_ms: 1 },
        pool: {
          status: 'healthy',
          total_connections: 3,
          active_connections: 1,
          idle_connections: 2,
          max_connections: 10,
          utilization_percent: 10,
        },
        history: { status: 'healthy', rolled_back_stores: 0 },
      },
      system: { uptime_secs: 61, rust_version: 'node v24.1.0' },
    });
  });

  test.each([
    ['a database at 99 ms', { databaseResponseTimeMs: 99 }, 'healthy', 200],
    ['a database at 100 ms', { databaseResponseTimeMs: 100 }, 'degraded', 200],
    ['a database at 500 ms', { databaseResponseTimeMs: 500 }, 'unhealthy', 503],
    ['a database that does not answer', { databaseResponseTimeMs: null }, 'unhealthy', 503],
    ['a pool used by half', { pool: { ...pool, active: 5 } }, 'healthy', 200],
    ['a stressed pool', { pool: { ...pool, active: 8 } }, 'degraded', 200],
    ['stores whose acknowledged events are lost', { rolledBackStores: 2 }, 'degraded', 200],
    ['a full pool', { pool: { ...pool, active: 10 } }, 'unhealthy', 503],
    ['a closed circuit', { circuits: [circuit] }, 'healthy', 200],
    ['an open circuit', { circuits: [circuit, { ...circuit, state: 'open' as const }] }, 'degraded', 200],
    [
      'a slow database and a full pool',
      { databaseResponseTimeMs: 100, pool: { ...pool, active: 10 } },
      'unhealthy',
      503,
    ],
  ])('with %s the node is %s', async (_name, fields, status, httpStatus) => {
    gateway.answerHealth = () => Promise.resolve({ ...well, ...fields });
    const response = await detailed();
    expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([
      httpStatus,
      status,
    ]);
  });

  test('refuses who is no administrator in the flat form', async () => {
    await gateway.addKey('ss_reader', { admin: false });
    const response = await detailed('ss_reader');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ success: false, code: 'FORBIDDEN' });
  });
});

describe('the page of administration', () => {
  test.each(['/admin', '/admin/'])(
    '%s opens without a key and allows nothing but its own script',
    async (path) => {
      const response = await gateway.fetch(path);
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = response.headers.get('content-security-policy') ?? '';
      for (const element of ['style', 'script']) {
        const texts = [...html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'))];
        expect(texts).toHaveLength(1);
        const hash = createHash('sha256')
          .update(texts[0]?.[1] ?? '')
          .digest('base64');
        expect(policy).toContain(`${element}-src 'sha256-${hash}'`);
      }
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
      expect(response.headers.get('x-frame-options')).toBe('DENY');
    },
  );

  test('loads nothing and names every element that its script uses', async () => {
    const html = await (await gateway.fetch('/admin')).text();
    expect(html).not.toMatch(/https?:|\bsrc=|\bhref=|\son\w+=|style=|@import|url\(/);
    const ids = [...html.matchAll(/\bid="(\w+)"/g)].map(([, id]) => id);
    const used = [...html.matchAll(/byId\('(\w+)'\)/g)].map(([, id]) => id);
    expect(used.length).toBeGreaterThan(5);
    expect(ids).toEqual(expect.arrayContaining(used));
    const lists = /const lists = \[([^\]]+)\]/.exec(html)?.[1]?.match(/\w+/g) ?? [];
    expect(lists).toEqual(['overview', 'tenants', 'stores', 'agents']);
    expect(ids).toEqual(expect.arrayContaining(lists));
  });
});
