import { BadSettings, readSettings } from '../../config/read-settings.ts';

const strong = 'k7Qw-x92mZ_vT4bLr8Yp0sNd3FhJ6cGa';
const short = 'hunter2-hunter2';
const repeated = 'ababab'.repeat(10);
const password = 'p4ssw0rd-of-a-service';

/** A production environment that starts. */
const production = {
  SEQUENCER_ENV: 'production',
  DATABASE_URL: `postgres://app:${password}@db.example/x?sslmode=verify-full`,
  BOOTSTRAP_ADMIN_API_KEY: strong,
  JWT_SECRET: strong,
  NATS_URL: `tls://node:${password}@nats.example:4222`,
  PAYLOAD_ENCRYPTION_KEYS: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
};

interface Case {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** The setting that the message begins with, what it says is wrong, and the way out. */
  readonly says: RegExp;
  /** What happens outside production. */
  readonly elsewhere: 'starts' | 'warns' | 'refuses';
}

const disabled = { AUTH_MODE: 'disabled', ALLOW_AUTH_DISABLED: 'true' };

const cases: readonly Case[] = [
  {
    name: 'a short bootstrap key',
    env: { BOOTSTRAP_ADMIN_API_KEY: short },
    says: /^BOOTSTRAP_ADMIN_API_KEY has 15 characters; it takes at least 32.+openssl/,
    elsewhere: 'warns',
  },
  {
    name: 'a bootstrap key of few characters, repeated',
    env: { BOOTSTRAP_ADMIN_API_KEY: repeated },
    says: /^BOOTSTRAP_ADMIN_API_KEY has 2 different characters; it takes at least 7.+openssl/,
    elsewhere: 'warns',
  },
  {
    name: 'a short JWT secret',
    env: { JWT_SECRET: short },
    says: /^JWT_SECRET has 15 characters; it takes at least 32.+openssl/,
    elsewhere: 'warns',
  },
  {
    name: 'a JWT secret of few characters, repeated',
    env: { JWT_SECRET: repeated },
    says: /^JWT_SECRET has 2 different characters; it takes at least 7.+openssl/,
    elsewhere: 'warns',
  },
  {
    name: 'disabled authentication',
    env: disabled,
    says: /^AUTH_MODE is "disabled"; production takes required$/,
    elsewhere: 'starts',
  },
  {
    name: 'the embedded database',
    env: { DATABASE_URL: '' },
    says: /^DATABASE_URL is not set; production takes the URL of a Postgres/,
    elsewhere: 'starts',
  },
  {
    name: 'a remote database without TLS',
    env: { DATABASE_URL: `postgres://app:${password}@db.example/x` },
    says: /^DATABASE_URL asks for no TLS; add sslmode=require, verify-ca or verify-full to it$/,
    elsewhere: 'refuses',
  },
  {
    name: 'a remote database without TLS that ALLOW_INSECURE_LOCAL_DB does not cover',
    env: {
      DATABASE_URL: `postgres://app:${password}@db.example/x?sslmode=prefer`,
      ALLOW_INSECURE_LOCAL_DB: 'true',
    },
    says: /^DATABASE_URL asks for no TLS; add sslmode=/,
    elsewhere: 'refuses',
  },
  {
    name: 'a local database without TLS',
    env: { DATABASE_URL: `postgres://app:${password}@localhost/x` },
    says: /^DATABASE_URL asks for no TLS; .+ALLOW_INSECURE_LOCAL_DB=true/,
    elsewhere: 'starts',
  },
  {
    name: 'NATS without TLS',
    env: { NATS_URL: `nats://node:${password}@nats.example:4222` },
    says: /^NATS_URL carries no credentials or asks for no TLS; production takes tls:/,
    elsewhere: 'starts',
  },
  {
    name: 'NATS without credentials',
    env: { NATS_URL: 'tls://nats.example:4222' },
    says: /^NATS_URL carries no credentials or asks for no TLS; production takes tls:/,
    elsewhere: 'starts',
  },
  {
    name: 'payloads to be encrypted without a key',
    env: { PAYLOAD_ENCRYPTION_MODE: 'required', PAYLOAD_ENCRYPTION_KEYS: '' },
    says: /^PAYLOAD_ENCRYPTION_MODE is "required" and there is no key; .+openssl/,
    elsewhere: 'refuses',
  },
];

interface Start {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function start(env: Readonly<Record<string, string>>): Start {
  try {
    const { warnings } = readSettings(env, { heapLimitBytes: 2 ** 31 });
    return { problems: [], warnings };
  } catch (error) {
    if (error instanceof BadSettings) return { problems: error.problems, warnings: [] };
    throw error;
  }
}

test('a production environment in order starts', () => {
  expect(start(production).problems).toEqual([]);
});

describe.each(cases)('$name', ({ env, says, elsewhere }) => {
  const live = start({ ...production, ...env });
  const dev = start({ ...env, SEQUENCER_ENV: 'dev' });

  test('stops production with one sentence: the setting, what is wrong, the way out', () => {
    expect(live.problems).toEqual([expect.stringMatching(says)]);
  });

  test(`${elsewhere} outside production`, () => {
    expect(dev.problems).toEqual(elsewhere === 'refuses' ? [expect.stringMatching(says)] : []);
    expect(dev.warnings.filter((warning) => says.test(warning))).toHaveLength(elsewhere === 'warns' ? 1 : 0);
  });

  test('shows no secret', () => {
    const said = [...live.problems, ...dev.problems, ...dev.warnings].join('\n');
    for (const secret of [short, repeated, strong, password]) expect(said).not.toContain(secret);
  });
});

test('all that is wrong with a production environment is said at once', () => {
  const { problems } = start({
    SEQUENCER_ENV: 'production',
    ...disabled,
    BOOTSTRAP_ADMIN_API_KEY: short,
    JWT_SECRET: short,
    NATS_URL: 'nats://nats.example',
  });
  expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual([
    'AUTH_MODE',
    'BOOTSTRAP_ADMIN_API_KEY',
    'DATABASE_URL',
    'JWT_SECRET',
    'NATS_URL',
    'PAYLOAD_ENCRYPTION_MODE',
  ]);
});
