import { randomUUID } from 'node:crypto';
import { freezePostgres } from '../../bin/driver/freeze-postgres.ts';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { metricsToken, openGateway } from '../support/open-gateway.ts';
import { findPostgresPrograms } from '../support/postgres-programs.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

async function statusOf(url: string, authorization: string, method = 'GET'): Promise<number> {
  return (await fetch(url, { method, headers: { authorization } })).status;
}

describe('METRICS_TOKEN', () => {
  test.each([`Bearer ${metricsToken}`, `ApiKey ${metricsToken}`, metricsToken])(
    'opens /metrics as "%s"',
    async (authorization) => {
      const gateway = await openGateway();
      try {
        expect(await statusOf(`${gateway.url}/metrics`, authorization)).toBe(200);
        expect(await statusOf(`${gateway.url}/metrics`, authorization, 'HEAD')).toBe(200);
      } finally {
        await gateway.stop();
      }
    },
  );

  test('opens nothing else, and nothing that is nearly it opens /metrics', async () => {
    const gateway = await openGateway();
    try {
      const token = `Bearer ${metricsToken}`;
      expect(await statusOf(`${gateway.url}/health/detailed`, token)).toBe(401);
      expect(await statusOf(`${gateway.url}/api/v1/admin/overview`, token)).toBe(401);
      expect(await statusOf(`${gateway.url}/metrics`, token, 'POST')).toBe(401);
      for (const text of [`${metricsToken}x`, metricsToken.slice(1), metricsToken.toUpperCase(), '']) {
        expect([text, await statusOf(`${gateway.url}/metrics`, `Bearer ${text}`)]).toEqual([text, 401]);
      }
    } finally {
      await gateway.stop();
    }
  });

  test('does not get past ADMIN_IP_ALLOWLIST', async () => {
    const gateway = await openGateway({ settings: { adminIpAllowlist: ['192.0.2.1'] } });
    try {
      expect(await statusOf(`${gateway.url}/metrics`, `Bearer ${metricsToken}`)).toBe(403);
    } finally {
      await gateway.stop();
    }
  });

  test('meets no limit of the nil tenant', async () => {
    const refusal = { isAllowed: false, limit: 1, remaining: 0, resetSecs: 1 } as const;
    const gateway = await openGateway({ limits: () => ({ ...refusal }) });
    try {
      expect(await statusOf(`${gateway.url}/metrics`, `Bearer ${metricsToken}`)).toBe(200);
      expect(await statusOf(`${gateway.url}/metrics`, 'ApiKey ss_admin')).toBe(429);
    } finally {
      await gateway.stop();
    }
  });
});

describe('while Postgres is frozen', () => {
  const programs = findPostgresPrograms('embedded');
  const nodes = new TestNodes();
  const token = randomUUID();
  let postgres: PostgresServer;
  let node: NodeProcess;

  beforeAll(async () => {
    postgres = await startPostgresServer(programs);
    const env = { METRICS_TOKEN: token, REQUEST_TIMEOUT_SECS: '6', APPEND_TIMEOUT_MS: '3000' };
    node = await nodes.start({ DATABASE_URL: postgres.url, RATE_LIMIT_PER_MINUTE: '1000', ...env });
  });
  afterAll(async () => {
    await nodes.stop();
    await postgres.stop();
    programs.remove();
  });

  test('a scrape with the token goes on, and no API key is believed, that of the administrator included', async () => {
    const url = `${node.url}/metrics`;
    expect(await statusOf(url, `ApiKey ${adminKey}`)).toBe(200);
    const thaw = freezePostgres(postgres.pid);
    try {
      await until('keys can not be checked', async () => (await statusOf(url, `ApiKey ${adminKey}`)) === 503);
      const longestMs = await longestScrape(url, token);
      console.log(`the slowest of 20 scrapes took ${Math.round(longestMs)} ms`);
      expect(longestMs).toBeLessThan(6_000); // What asks Postgres waits as long as a request may.
    } finally {
      thaw();
    }
    await until('keys are checked again', async () => (await statusOf(url, `ApiKey ${adminKey}`)) === 200);
  });
});

async function longestScrape(url: string, token: string): Promise<number> {
  let longestMs = 0;
  for (let count = 0; count < 20; count++) {
    const startedMs = performance.now();
    const response = await fetch(url, { headers: { authorization: `ApiKey ${token}` } });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('\nsequencer_pool_active_connections ');
    longestMs = Math.max(longestMs, performance.now() - startedMs);
  }
  return longestMs;
}
