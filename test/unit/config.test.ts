import { readFile } from 'node:fs/promises';

import { configurationDocs } from '../../config/documentation.ts';
import { definitions } from '../../config/definitions.ts';
import { BadSettings, readSettings } from '../../config/read-settings.ts';

const machine = { heapLimitBytes: 4_096 * 1_048_576 };
const production = {
  SEQUENCER_ENV: 'production',
  DATABASE_URL: 'postgres://sequencer:pw@db.example/sequencer?sslmode=verify-full',
  BOOTSTRAP_ADMIN_API_KEY: 'ss_0123456789012345678901234567890123456789',
  PAYLOAD_ENCRYPTION_KEYS: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readSettings(env, machine);
  } catch (error) {
    if (error instanceof BadSettings) return error.problems;
    throw error;
  }
  return [];
}

describe('defaults', () => {
  test('an empty environment gives a development node on loopback', () => {
    expect(readSettings({}, machine)).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 8080,
      databaseUrl: null,
      dataDir: '.data',
      nodeId: null,
      nodeServices: ['gateway', 'sequencer', 'commitment', 'projection'],
      natsUrl: null,
      corsAllowOrigins: [],
      authMode: 'required',
      maxBytesInFlight: 512 * 1_048_576,
      dbStatementTimeoutMs: 30_000,
      appendTimeoutMs: 10_000,
      brokerCallTimeoutMs: 29_000,
      appendStatementTimeoutMs: 9_000,
      warnings: [],
    });
  });

  test('an empty value is the default', () => {
    expect(readSettings({ PORT: '', HOST: '  ', LOG_LEVEL: '' }, machine)).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      logLevel: 'info',
    });
  });

  test('every property is its variable in camel case', () => {
    for (const [property, { env }] of Object.entries(definitions)) {
      const camelCase = env
        .toLowerCase()
        .replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
      expect(property).toBe(camelCase);
    }
  });

  test('every default is one of the accepted values', () => {
    for (const definition of Object.values(definitions)) {
      const value = definition.defaultFor({ production: false, ...machine });
      if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue;
      const text = Array.isArray(value) ? value.join() : JSON.stringify(value).replaceAll('"', '');
      expect(definition.parse(text)).toEqual(value);
    }
  });

  test('the settings and the lists in them are frozen', () => {
    const settings = readSettings({ NODE_SERVICES: 'gateway' }, machine);
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.nodeServices)).toBe(true);
    expect(Object.isFrozen(readSettings({}, machine).nodeServices)).toBe(true);
  });
});

describe('values', () => {
  test.each(['1', 'true', 'on', 'yes', 'TRUE', ' Yes '])('%j switches on', (text) => {
    expect(readSettings({ ALLOW_AUTH_DISABLED: text }, machine).allowAuthDisabled).toBe(true);
  });

  test.each(['0', 'false', 'off', 'no', 'False'])('%j switches off', (text) => {
    expect(readSettings({ DB_MIGRATE_ON_STARTUP: text }, machine).dbMigrateOnStartup).toBe(false);
  });

  test.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['REQUEST_TIMEOUT_SECS', '0'],
    ['ALLOW_AUTH_DISABLED', 'maybe'],
    ['AUTH_MODE', 'optional'],
    ['LOG_FORMAT', 'xml'],
    ['NODE_SERVICES', 'gateway,cook'],
    ['NODE_SERVICES', 'gateway,,sequencer'],
    ['NODE_ID', 'a b'],
    ['NODE_ID', 'a..b'],
    ['CORS_ALLOW_ORIGINS', 'https://shop.example/path'],
    ['HOST', 'two words'],
  ])('%s=%j is refused by name, with the value and the accepted ones', (name, value) => {
    const accepted = Object.values(definitions).find(({ env }) => env === name)?.accepts;
    expect(problemsOf({ [name]: value })).toEqual([`${name} is "${value}"; it takes ${accepted ?? ''}`]);
  });

  test('lists drop spaces and repeats', () => {
    const settings = readSettings(
      {
        NODE_SERVICES: 'sequencer, sequencer',
        CORS_ALLOW_ORIGINS: 'https://a.example, http://localhost:3000',
      },
      machine,
    );
    expect(settings.nodeServices).toEqual(['sequencer']);
    expect(settings.corsAllowOrigins).toEqual(['https://a.example', 'http://localhost:3000']);
  });

  test('ENVIRONMENT counts where SEQUENCER_ENV is unset or empty', () => {
    expect(readSettings({ ENVIRONMENT: 'staging' }, machine).sequencerEnv).toBe('staging');
    expect(readSettings({ ...production, SEQUENCER_ENV: '', ENVIRONMENT: 'live' }, machine).production).toBe(
      true,
    );
    expect(readSettings({ SEQUENCER_ENV: 'ci', ENVIRONMENT: 'production' }, machine).production).toBe(false);
  });

  test.each(['local', 'dev', 'development', 'test', 'testing', 'ci', 'staging', 'Staging'])(
    '%s is not production',
    (name) => {
      expect(readSettings({ SEQUENCER_ENV: name }, machine).production).toBe(false);
    },
  );

  test('all mistakes are reported at once, and none shows a secret', () => {
    const problems = problemsOf({
      PORT: 'http',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      NATS_URL: 'http://hunter2@nats',
      BOOTSTRAP_ADMIN_API_KEY: 'hunter2 hunter2',
      MIN_DB_CONNECTIONS: '5',
      MAX_DB_CONNECTIONS: '4',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'LOG_LEVEL',
      'BOOTSTRAP_ADMIN_API_KEY',
      'DATABASE_URL',
      'NATS_URL',
      'MIN_DB_CONNECTIONS',
    ]);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('rules between settings', () => {
  test('disabled authentication takes a second switch and no production', () => {
    expect(problemsOf({ AUTH_MODE: 'disabled' })).toEqual([
      expect.stringContaining('ALLOW_AUTH_DISABLED=true'),
    ]);
    expect(problemsOf({ AUTH_MODE: 'disabled', ALLOW_AUTH_DISABLED: 'true' })).toEqual([]);
    expect(problemsOf({ ...production, AUTH_MODE: 'disabled', ALLOW_AUTH_DISABLED: 'true' })).toEqual([
      'AUTH_MODE is "disabled"; production takes required',
    ]);
  });

  test('a complete production environment starts, on every address', () => {
    expect(readSettings(production, machine)).toMatchObject({ production: true, host: '0.0.0.0' });
  });

  test('production takes a DATABASE_URL', () => {
    expect(problemsOf({ ...production, DATABASE_URL: '' })).toEqual([
      expect.stringContaining('DATABASE_URL is not set'),
    ]);
  });

  test('a short admin key stops production and is a warning elsewhere', () => {
    const short = { BOOTSTRAP_ADMIN_API_KEY: 'dev_admin_key' };
    expect(problemsOf({ ...production, ...short })).toEqual([
      expect.stringMatching(/^BOOTSTRAP_ADMIN_API_KEY has 13 characters/),
    ]);
    const { warnings } = readSettings(short, machine);
    expect(warnings).toEqual([expect.stringMatching(/^BOOTSTRAP_ADMIN_API_KEY has 13 characters/)]);
    expect(warnings.join()).not.toContain('dev_admin_key');
  });

  test('a METRICS_TOKEN that looks like an API key is refused everywhere, and a weak one in production', () => {
    expect(problemsOf({ METRICS_TOKEN: 'ss_0123456789abcdefghij0123456789abcdef' })).toEqual([
      expect.stringMatching(/^METRICS_TOKEN .*does not begin with ss_/),
    ]);
    expect(problemsOf({ ...production, METRICS_TOKEN: 'metrics' })).toEqual([
      expect.stringMatching(/^METRICS_TOKEN has 7 char/),
    ]);
  });

  test('a short JWT_SECRET is refused in production, warned about elsewhere, and never shown', () => {
    const short = { JWT_SECRET: 'between us' };
    expect(problemsOf({ ...production, ...short })).toEqual([
      expect.stringMatching(/^JWT_SECRET has 10 char/),
    ]);
    const { warnings } = readSettings(short);
    expect(warnings).toEqual([
      expect.stringMatching(/^JWT_SECRET has 10 characters.*production would refuse/),
    ]);
    expect(warnings.join()).not.toContain('between us');
  });

  test('production is warned when the key that signs receipts is not set', () => {
    const production = {
      PAYLOAD_ENCRYPTION_MODE: 'disabled',
      SEQUENCER_ENV: 'production',
      DATABASE_URL: 'postgres://db.example/x?sslmode=require',
    };
    const warningsOf = (env: Record<string, string>) =>
      readSettings({ ...production, ...env }, machine).warnings;
    expect(warningsOf({})).toEqual([expect.stringMatching(/^VES_SEQUENCER_SIGNING_KEY is not set/)]);
    expect(warningsOf({ VES_SEQUENCER_SIGNING_KEY: 'ab'.repeat(32) })).toEqual([]);
    expect(warningsOf({ VES_RECEIPT_SIGNING: 'off' })).toEqual([]);
  });

  test.each([
    // [url, outside production, there with ALLOW_INSECURE_LOCAL_DB, in production, there with the permission]
    ['postgres://db.example/x?sslmode=require', true, true, true, true],
    ['postgresql://db.example/x?sslmode=verify-ca', true, true, true, true],
    ['postgres://db.example/x', false, false, false, false],
    ['postgres://db.example/x?sslmode=prefer', false, false, false, false],
    ['postgres://localhost/x', true, true, false, true],
    ['postgres://127.0.0.1:5433/x?sslmode=disable', true, true, false, true],
    ['postgres://[::1]/x', true, true, false, true],
    ['postgres:///x?host=/run/postgresql', true, true, false, true],
    ['postgres://localhost/x?host=db.example', false, false, false, false],
    ['postgres://localhost/x?host=localhost&host=db.example', false, false, false, false],
    ['postgres://db.example/x?sslmode=require&sslmode=disable', false, false, false, false],
    ['postgres://db.example/x?sslmode=disable&sslmode=require', true, true, true, true],
    ['postgres://postgres/x', false, true, false, true],
    ['postgres://postgres-replica/x', false, true, false, true],
    ['postgres://host.docker.internal/x', false, true, false, true],
    ['postgres://localhost.example/x', false, false, false, false],
  ])('%s without TLS goes only where it may', (url, dev, devAllowed, live, liveAllowed) => {
    const allowed = { ALLOW_INSECURE_LOCAL_DB: 'true' };
    const starts = (env: Record<string, string>) => problemsOf({ ...env, DATABASE_URL: url }).length === 0;
    expect([starts({}), starts(allowed), starts(production), starts({ ...production, ...allowed })]).toEqual([
      dev,
      devAllowed,
      live,
      liveAllowed,
    ]);
  });

  test('production takes a NATS_URL with TLS and credentials only', () => {
    const starts = (url: string) => problemsOf({ ...production, NATS_URL: url }).length === 0;
    expect(starts('tls://user:pw@nats.example:4222')).toBe(true);
    expect(starts('tls://token@nats.example, tls://token@nats2.example')).toBe(true);
    expect(starts('tls://nats.example:4222')).toBe(false);
    expect(starts('nats://user:pw@nats.example:4222')).toBe(false);
    expect(starts('tls://token@nats.example,nats://token@nats2.example')).toBe(false);
    expect(problemsOf({ NATS_URL: 'nats://127.0.0.1:4222' })).toEqual([]);
    const live = { ...production, NATS_URL: 'nats://nats.example' };
    expect(problemsOf({ ...live, NATS_TLS_CERT: '/c', NATS_TLS_KEY: '/k' })).toEqual([]);
    expect(problemsOf({ ...live, NATS_TLS_CA: '/ca', NATS_CREDS: '/creds' })).toEqual([]);
    expect(problemsOf({ ...live, NATS_TLS_CA: '/ca' })).toHaveLength(1);
    expect(problemsOf({ ...live, NATS_TOKEN: 'token' })).toHaveLength(1);
  });

  test.each([
    [{ NATS_TOKEN: 'token' }, 'NATS_TOKEN is set and NATS_URL is not'],
    [{ NATS_URL: 'nats://a', NATS_USER: 'sequencer' }, 'NATS_USER is set and NATS_PASSWORD is not'],
    [{ NATS_URL: 'nats://a', NATS_TLS_KEY: '/key' }, 'NATS_TLS_KEY is set and NATS_TLS_CERT is not'],
    [{ NATS_URL: 'nats://a,tls://b' }, 'NATS_URL mixes nats:// and tls://'],
    [{ NATS_URL: 'nats://u:hunter2@a,nats://b' }, 'NATS_URL has different credentials'],
    [{ NATS_URL: 'nats://u:%zz@a' }, 'NATS_URL has credentials with a %'],
    [{ NATS_URL: 'nats://a/path' }, 'NATS_URL has something behind a port'],
    [{ NATS_URL: 'nats://a:b:c' }, 'NATS_URL holds something that is no URL'],
    [
      { NATS_URL: 'nats://hunter2@a', NATS_TOKEN: 'hunter2' },
      'NATS_URL and NATS_TOKEN both say who the node is',
    ],
  ])('%j is refused with a way out and no secret', (env, problem) => {
    const problems = problemsOf(env);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).not.toContain('hunter2');
  });

  test('the largest body fits into what may be in flight and into a mailbox', () => {
    const env = { MAX_BODY_SIZE_BYTES: '20000000' };
    expect(problemsOf({ ...env, MAX_BYTES_IN_FLIGHT: '19999999' })).toHaveLength(1);
    expect(problemsOf({ ...env, MAILBOX_BYTES_MAX: '19999999' })).toHaveLength(1);
    expect(problemsOf(env)).toEqual([]);
    const large = { MAX_BODY_SIZE_BYTES: '200000000' };
    expect(readSettings(large, { heapLimitBytes: 1e9 })).toMatchObject({
      maxBytesInFlight: 200_000_000,
      mailboxBytesMax: 200_000_000,
    });
  });

  test('statement < append < call < request, whatever the request is given', () => {
    for (const secs of [1, 2, 5, 10, 11, 30, 3_600]) {
      const s = readSettings({ REQUEST_TIMEOUT_SECS: String(secs) }, machine);
      expect(s.appendStatementTimeoutMs).toBeLessThan(s.appendTimeoutMs);
      expect(s.appendTimeoutMs).toBeLessThan(s.brokerCallTimeoutMs);
      expect(s.brokerCallTimeoutMs).toBeLessThan(s.requestTimeoutSecs * 1_000);
      expect(s.dbStatementTimeoutMs).toBeLessThanOrEqual(s.requestTimeoutSecs * 1_000);
    }
  });

  test('limits that are set and contradict each other are refused', () => {
    expect(problemsOf({ APPEND_TIMEOUT_MS: '30000' })).toEqual([
      expect.stringMatching(
        /^APPEND_TIMEOUT_MS is 30000; with REQUEST_TIMEOUT_SECS at 30 it takes at most 26100/,
      ),
    ]);
    expect(problemsOf({ APPEND_TIMEOUT_MS: '5000', REQUEST_TIMEOUT_SECS: '5' })).toHaveLength(1);
    expect(problemsOf({ APPEND_TIMEOUT_MS: '26100' })).toEqual([]);
    expect(problemsOf({ DB_STATEMENT_TIMEOUT_MS: '6000', REQUEST_TIMEOUT_SECS: '5' })).toEqual([
      expect.stringMatching(/^DB_STATEMENT_TIMEOUT_MS is 6000; it takes at most the 5000/),
    ]);
  });

  test('the statement of an append is bounded by the shorter of its two limits', () => {
    expect(readSettings({ DB_STATEMENT_TIMEOUT_MS: '2000' }, machine).appendStatementTimeoutMs).toBe(2_000);
    expect(readSettings({ APPEND_TIMEOUT_MS: '2000' }, machine).appendStatementTimeoutMs).toBe(1_800);
  });

  test('a rule stays silent while a setting it reads is itself wrong', () => {
    expect(problemsOf({ MIN_DB_CONNECTIONS: '20', MAX_DB_CONNECTIONS: 'ten' })).toEqual([
      expect.stringMatching(/^MAX_DB_CONNECTIONS is "ten"/),
    ]);
  });
});

test('docs/configuration.md says what the definitions say', async () => {
  const written = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  expect(written).toBe(configurationDocs());
});

describe('payload encryption', () => {
  const key = (byte: number) => Buffer.from(Array.from({ length: 32 }, (_, index) => byte + index));
  const hex = key(1).toString('hex');

  test('is off outside production, and required in it, where a key is needed', () => {
    expect(readSettings({}, machine).payloadEncryptionMode).toBe('disabled');
    expect(readSettings(production, machine).payloadEncryptionMode).toBe('required');
    const problems = problemsOf({ ...production, PAYLOAD_ENCRYPTION_KEYS: '' });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^PAYLOAD_ENCRYPTION_MODE is "required" and there is no key; it takes PAYLOAD_ENCRYPTION_KEYS/,
    );
    expect(
      problemsOf({ ...production, PAYLOAD_ENCRYPTION_KEYS: '', PAYLOAD_ENCRYPTION_MODE: 'off' }),
    ).toEqual([]);
  });

  test.each([
    ['disabled', 'disabled'],
    ['OFF', 'disabled'],
    ['false', 'disabled'],
    ['0', 'disabled'],
    ['optional', 'optional'],
    ['required', 'required'],
    ['on', 'required'],
    ['True', 'required'],
    ['1', 'required'],
  ])('the mode %s is %s', (given, mode) => {
    const env = { PAYLOAD_ENCRYPTION_MODE: given, PAYLOAD_ENCRYPTION_KEY: hex };
    expect(readSettings(env, machine).payloadEncryptionMode).toBe(mode);
  });

  test.each([
    ['hex', hex],
    ['0x and capitals', `0x${hex.toUpperCase()}`],
    ['base64', key(1).toString('base64')],
    ['base64url', key(1).toString('base64url')],
  ])('a key is taken as %s', (_, text) => {
    expect(readSettings({ PAYLOAD_ENCRYPTION_KEY: text }, machine).payloadEncryptionKey).toEqual(
      new Uint8Array(key(1)),
    );
  });

  test('keys are taken as a list, and those of tenants as a map of lists', () => {
    const tenant = 'A0000000-0000-4000-8000-000000000001';
    const settings = readSettings(
      {
        PAYLOAD_ENCRYPTION_KEYS: `${hex}, ${key(2).toString('base64')}`,
        PAYLOAD_ENCRYPTION_KEYS_BY_TENANT: JSON.stringify({ [tenant]: [hex, key(3).toString('hex')] }),
      },
      machine,
    );
    expect(settings.payloadEncryptionKeys).toHaveLength(2);
    expect(settings.payloadEncryptionKeysByTenant?.get(tenant.toLowerCase())).toHaveLength(2);
  });

  test.each([
    ['PAYLOAD_ENCRYPTION_MODE', 'maybe'],
    ['PAYLOAD_ENCRYPTION_KEY', 'short'],
    ['PAYLOAD_ENCRYPTION_KEY', hex.slice(2)],
    ['PAYLOAD_ENCRYPTION_KEY', '0'.repeat(64)],
    ['PAYLOAD_ENCRYPTION_KEYS', `${hex},`],
    ['PAYLOAD_ENCRYPTION_KEYS', `${hex},${hex}`],
    ['PAYLOAD_ENCRYPTION_KEYS_BY_TENANT', '[]'],
    ['PAYLOAD_ENCRYPTION_KEYS_BY_TENANT', '{"tenant":'],
    ['PAYLOAD_ENCRYPTION_KEYS_BY_TENANT', `{"acme":"${hex}"}`],
    ['PAYLOAD_ENCRYPTION_KEYS_BY_TENANT', '{"a0000000-0000-4000-8000-000000000001":"x"}'],
    ['PAYLOAD_ENCRYPTION_KEYS_BY_TENANT', '{"a0000000-0000-4000-8000-000000000001":1}'],
  ])('a bad %s stops the start, and its value is not shown', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    if (name !== 'PAYLOAD_ENCRYPTION_MODE') expect(problems[0]).not.toContain(value);
  });

  test('the list and the single key are not both set', () => {
    const env = { PAYLOAD_ENCRYPTION_KEYS: hex, PAYLOAD_ENCRYPTION_KEY: hex };
    expect(problemsOf(env)).toEqual([expect.stringContaining('are both set')]);
  });
});
