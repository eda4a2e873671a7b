import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { NodeProcess } from '../../bin/driver/node-process.ts';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newAgent, publicKeyOf, signedEvent, vesBody } from '../support/ves-events.ts';

const secret = (): string => randomBytes(24).toString('base64url');

/** Everything that must stay inside, each of them long and random enough to be found nowhere by chance. */
const secrets = {
  bootstrapKey: `ss_${secret()}`,
  jwtSecret: `jwt-${secret()}`,
  metricsToken: `metrics-${secret()}`,
  databasePassword: `db-${secret()}`,
  natsPassword: `nats-${secret()}`,
  unknownKey: `ss_${secret()}`,
};

let database: TestDatabase;
let nats: NatsServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-secrets-'));
  chmodSync(folder, 0o755);
  database = await createTestDatabase();
  nats = await startNatsServer();
});
afterAll(async () => {
  await nats.stop();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** A node of which everything is kept that it ever printed. */
function begin(env: Readonly<Record<string, string>>): { node: NodeProcess; output: () => string } {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../bin/start.ts')], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      DATABASE_URL: withPassword(database.url),
      BOOTSTRAP_ADMIN_API_KEY: secrets.bootstrapKey,
      JWT_SECRET: secrets.jwtSecret,
      METRICS_TOKEN: secrets.metricsToken,
      LOG_LEVEL: 'debug',
      SHUTDOWN_DELAY_SECS: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const collect = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return { node: new NodeProcess(child), output: () => text };
}

function withPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = secrets.databasePassword;
  return url.href;
}

function natsUrl(password: string): string {
  return `nats://node:${password}@127.0.0.1:${nats.port}`;
}

/** Which of the secrets, or of their usual disguises, a text shows. */
function shown(text: string, more: Readonly<Record<string, string>> = {}): string[] {
  const decoded = text.replaceAll('\\/', '/');
  return Object.entries({ ...secrets, ...more })
    .filter(([, value]) =>
      [value, encodeURIComponent(value), Buffer.from(value).toString('base64')].some((form) =>
        decoded.includes(form),
      ),
    )
    .map(([name]) => name);
}

test.each(['text', 'json'])(
  'no secret appears in the log, in metrics, in answers or in the audit log, with LOG_FORMAT=%s',
  async (format) => {
    const { node, output } = begin({ LOG_FORMAT: format, NATS_URL: natsUrl(secrets.natsPassword) });
    const answers: string[] = [];
    const ask = async (path: string, init: RequestInit = {}): Promise<number> => {
      const response = await fetch(node.url + path, init);
      answers.push(JSON.stringify([...response.headers]), await response.text());
      return response.status;
    };
    let token = '';
    try {
      await node.becomeReady(60_000);
      const admin = { authorization: `ApiKey ${secrets.bootstrapKey}`, 'content-type': 'application/json' };
      const post = (path: string, body: string): Promise<number> =>
        ask(path, { method: 'POST', headers: admin, body });

      const agent = newAgent();
      const key = { ...agent, publicKey: publicKeyOf(agent) };
      expect(await post('/api/v1/agents/keys', JSON.stringify(key))).toBe(200);
      expect(await post('/api/v1/agents/keys', JSON.stringify(key))).toBe(409);
      const body = vesBody(agent.agentId, [signedEvent(agent)]);
      expect(await post('/api/v1/ves/events/ingest', body)).toBe(200);
      expect(await post('/api/v1/events/ingest', '{"agent_id":')).toBe(400);
      expect(await post('/api/v1/events/ingest', '{}')).toBe(422);
      expect(await ask('/api/v1/events?tenant_id=x', { headers: admin })).toBe(400);
      expect(await ask('/nowhere', { headers: admin })).toBe(404);

      for (const credential of [
        `ApiKey ${secrets.unknownKey}`,
        `Bearer ${secrets.unknownKey}`,
        secrets.jwtSecret,
      ]) {
        expect(await ask('/api/v1/head', { headers: { authorization: credential } })).toBe(401);
      }
      token = await new SignJWT({ sub: randomUUID() })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1 minute')
        .sign(new TextEncoder().encode(secrets.jwtSecret));
      expect(await ask('/api/v1/head', { headers: { authorization: `Bearer ${token}` } })).toBe(401);

      for (const path of ['/metrics', '/health/detailed', '/api/v1/admin/overview']) {
        expect(await ask(path, { headers: admin })).toBe(200);
      }
      expect(await ask('/api/v1/admin/audit?limit=1000', { headers: admin })).toBe(200);
      expect(answers.at(-1)).toContain('config_updated');
    } finally {
      await node.stop();
    }
    expect(output()).toMatch(/DEBUG|"level":20/);
    expect(shown(output(), { token })).toEqual([]);
    expect(answers.filter((text) => shown(text, { token }).length > 0)).toEqual([]);
  },
);

const refusedStarts: readonly (readonly [string, () => Readonly<Record<string, string>>])[] = [
  [
    'a database that does not answer',
    () => ({
      DATABASE_URL: `postgres://app:${secrets.databasePassword}@127.0.0.1:1/none`,
      DB_STARTUP_MAX_RETRIES: '0',
    }),
  ],
  [
    'a database URL that is none',
    () => ({ DATABASE_URL: `postgres://app:${secrets.databasePassword}@[/none` }),
  ],
  ['a NATS URL that is none', () => ({ NATS_URL: `http://node:${secrets.natsPassword}@nats.example` })],
  [
    'secrets that production refuses',
    () => ({
      SEQUENCER_ENV: 'production',
      NATS_URL: natsUrl(secrets.natsPassword),
      VES_SEQUENCER_SIGNING_KEY: secrets.jwtSecret,
    }),
  ],
];

test.each(refusedStarts)('a start that ends for %s shows no secret', async (_name, env) => {
  const { node, output } = begin(env());
  expect(await node.ended).toMatchObject({ code: 1 });
  expect(output()).not.toBe('');
  expect(shown(output())).toEqual([]);
});
