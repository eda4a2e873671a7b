import { join } from 'node:path';
import pg from 'pg';
import type { NodeProcess } from '../../bin/driver/node-process.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { claims, signToken } from '../support/web-tokens.ts';

const jwtSecret = 'jwt-signing-secret-0123456789-0123456789';
const databasePassword = 'database-password-0123456789';
const tenantId = 'aaaaaaaa-0000-4000-8000-00000000000a';
const agentId = 'cccccccc-0000-4000-8000-00000000000c';
const headPath = `/api/v1/head?tenant_id=${tenantId}&store_id=${agentId}`;

const nodes = new TestNodes();
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await nodes.stop();
  await database.drop();
});

/** Everything that the node and its log said, and what it answered where no key is meant to be shown. */
const said: string[] = [];
/** Nothing of these may be said, whole or in part. */
const secrets: string[] = [adminKey, jwtSecret, databasePassword];

async function send(
  node: NodeProcess,
  headers: Record<string, string>,
  method = 'GET',
  path = headPath,
  body?: string,
): Promise<{ status: number; text: string }> {
  const response = await fetch(node.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  said.push(...[...response.headers].map(([name, value]) => `${name}: ${value}`));
  return { status: response.status, text };
}

const apiKey = (key: string): Record<string, string> => ({ authorization: `ApiKey ${key}` });

test('no secret shows in the log at its most talkative, in answers, or in metrics, on any way to get in', async () => {
  const url = new URL(database.url);
  url.password = databasePassword; // Its server trusts everyone who is local.
  const node = await nodes.start({
    DATABASE_URL: url.href,
    DATA_DIR: join(nodes.folder, 'secrets'),
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'debug',
    PUBLIC_AGENT_REGISTRATION_ENABLED: 'true',
  });
  const keysPath = `/api/v1/admin/tenants/${tenantId}/api-keys`;
  const admin = apiKey(adminKey);

  /** The key in an answer that shows one, which is the only place where it may be. */
  const shown = async (answer: Promise<{ status: number; text: string }>): Promise<string> => {
    const { status, text } = await answer;
    expect(status).toBe(200);
    const key = (JSON.parse(text) as { apiKey: string }).apiKey;
    secrets.push(key);
    said.push(text.replace(key, ''));
    return key;
  };
  const first = await shown(send(node, admin, 'POST', keysPath, JSON.stringify({ agentId })));
  const own = await shown(send(node, apiKey(first), 'POST', `/api/v1/agents/${agentId}/api-keys`, '{}'));
  await shown(send(node, {}, 'POST', '/api/v1/agents/register', '{"name":"x"}'));

  const token = signToken(claims({ sub: tenantId }), { secret: jwtSecret });
  const expired = signToken(claims({ exp: 1 }), { secret: jwtSecret });
  const forged = signToken(claims(), { secret: 'another secret' });
  const unknown = 'ss_unknown_0123456789_0123456789';
  secrets.push(token, expired, forged, unknown);
  const ways: Record<string, string>[] = [
    admin,
    ...[adminKey, first, unknown, 'nothing-known-0123456789'].flatMap((key) => [
      apiKey(key),
      { authorization: key },
      { authorization: `Bearer ${key}` },
      { authorization: `Basic ${key}` },
      { 'x-api-key': key },
    ]),
    ...[token, expired, forged, `${token}x`].map((text) => ({ authorization: `Bearer ${text}` })),
  ];
  const askEverywhere = async (): Promise<void> => {
    for (const headers of ways) {
      for (const [method, path, body] of [
        ['GET', headPath],
        ['GET', '/metrics'],
        ['GET', keysPath],
        ['GET', `/api/v1/agents/${agentId}/api-keys`],
        ['GET', '/api/v1/admin/audit'],
        ['POST', `/api/v1/agents/${agentId}/api-keys`, '{"admin":"x"}'],
        ['DELETE', `/api/v1/agents/${agentId}/api-keys/0`],
        ['POST', '/api/v1/events/ingest', '{'],
      ] as const) {
        said.push((await send(node, headers, method, path, body)).text);
      }
      said.push(node.output); // Now, since only the end of a long output is kept.
    }
  };
  await askEverywhere();
  const revoked = await send(node, admin, 'DELETE', `${keysPath}/${hashApiKey(own).slice(0, 16)}`);
  said.push(revoked.text, (await send(node, apiKey(own))).text);

  // While the table of keys is away every look-up fails, and its error goes to the log.
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('alter table api_keys rename to hidden_keys');
  await client.query('update revisions set revision = revision + 1');
  await askEverywhere();
  const away = await send(node, apiKey('ss_asked_for_while_away'));
  secrets.push('ss_asked_for_while_away');
  expect(away.status).toBe(503);
  said.push(away.text);
  await client.query('alter table hidden_keys rename to api_keys');
  await client.end();

  await node.stop();
  expect(node.output).toContain('an API key could not be looked up');
  const everything = [...said, node.output].join('\n');
  for (const secret of secrets) expect([secret, everything.includes(secret)]).toEqual([secret, false]);
  // The part of a token that is hard to guess.
  for (const text of [token, expired, forged]) expect(everything).not.toContain(text.split('.')[2]);
}, 60_000);
