import { problemOfDatabaseUrl } from './database-url.ts';
import { longestAppendMs } from './deadlines.ts';
import { definitions, type SettingName, type SettingValues } from './definitions.ts';
import { natsRules } from './nats-rules.ts';
import type { Rule } from './rule.ts';

const secretLengthMin = 32;
/** Random hex of that length has fewer once in 5 · 10^9; a repeated word has few. */
const secretCharactersMin = 7;

export const rules: readonly Rule[] = [
  {
    reads: ['authMode', 'allowAuthDisabled'],
    says: '`AUTH_MODE=disabled` also needs `ALLOW_AUTH_DISABLED=true`, and is refused in production.',
    problem({ authMode, allowAuthDisabled }, production) {
      if (authMode === 'required') return null;
      if (production) return 'AUTH_MODE is "disabled"; production takes required';
      return allowAuthDisabled
        ? null
        : 'AUTH_MODE is "disabled"; it takes ALLOW_AUTH_DISABLED=true as well, which lets everyone who reaches the port read and write everything';
    },
  },
  ...(['bootstrapAdminApiKey', 'jwtSecret', 'metricsToken'] as const).map((name): Rule => ({
    reads: [name],
    says: `\`${definitions[name].env}\` has at least ${secretLengthMin} characters in production, ${secretCharactersMin} of them different; a weaker one is a warning elsewhere.`,
    problem: (values, production) => (production ? problemOfSecret(name, values[name]) : null),
  })),
  {
    reads: ['databaseUrl'],
    says: '`DATABASE_URL` is set in production.',
    problem: ({ databaseUrl }, production) =>
      production && databaseUrl === null
        ? 'DATABASE_URL is not set; production takes the URL of a Postgres of its own, since the embedded one lives and dies with one machine'
        : null,
  },
  {
    reads: ['databaseUrl', 'allowInsecureLocalDb'],
    says: '`DATABASE_URL` asks for TLS (`sslmode` is `require`, `verify-ca` or `verify-full`), unless it leads to a socket, `localhost`, `127.0.0.1` or `::1` outside production, or, with `ALLOW_INSECURE_LOCAL_DB`, to one of these, `postgres`, `postgres-replica` or `host.docker.internal` anywhere.',
    problem: ({ databaseUrl, allowInsecureLocalDb }, production) =>
      databaseUrl === null
        ? null
        : problemOfDatabaseUrl(databaseUrl, { production, allowInsecureLocal: allowInsecureLocalDb }),
  },
  ...(['directDatabaseUrl', 'readDatabaseUrl'] as const).map((name): Rule => ({
    reads: [name, 'allowInsecureLocalDb'],
    says: `\`${definitions[name].env}\` asks for TLS as \`DATABASE_URL\` does.`,
    problem: ({ [name]: url, allowInsecureLocalDb }, production) =>
      url === null
        ? null
        : problemOfDatabaseUrl(url, {
            name: definitions[name].env,
            production,
            allowInsecureLocal: allowInsecureLocalDb,
          }),
  })),
  {
    reads: ['databasePooler', 'databaseUrl'],
    says: 'With `DATABASE_POOLER=transaction`, `DATABASE_URL` is set and has no `options`, which a pooler would not pass on.',
    problem: ({ databasePooler, databaseUrl }) => {
      if (databasePooler === 'none') return null;
      if (databaseUrl === null) {
        return 'DATABASE_POOLER is "transaction" and DATABASE_URL is not set; the embedded Postgres has no pooler, so leave DATABASE_POOLER out or set DATABASE_URL to the address of the pooler';
      }
      return /[?&]options=/.test(databaseUrl)
        ? 'DATABASE_URL has options, which a pooler does not pass on; set them for the role instead: alter role … set …'
        : null;
    },
  },
  ...natsRules,
  {
    reads: ['minDbConnections', 'maxDbConnections'],
    says: '`MIN_DB_CONNECTIONS` is at most `MAX_DB_CONNECTIONS`.',
    problem: ({ minDbConnections, maxDbConnections }) =>
      atMost('minDbConnections', minDbConnections, 'maxDbConnections', maxDbConnections),
  },
  {
    reads: ['maxBodySizeBytes', 'maxBytesInFlight'],
    says: '`MAX_BODY_SIZE_BYTES` is at most `MAX_BYTES_IN_FLIGHT`, or the largest body would never be admitted.',
    problem: ({ maxBodySizeBytes, maxBytesInFlight }) =>
      atMost('maxBodySizeBytes', maxBodySizeBytes, 'maxBytesInFlight', maxBytesInFlight),
  },
  {
    reads: ['maxBodySizeBytes', 'mailboxBytesMax'],
    says: '`MAX_BODY_SIZE_BYTES` is at most `MAILBOX_BYTES_MAX`, for the same reason.',
    problem: ({ maxBodySizeBytes, mailboxBytesMax }) =>
      atMost('maxBodySizeBytes', maxBodySizeBytes, 'mailboxBytesMax', mailboxBytesMax),
  },
  {
    reads: ['maxBodySizeBytes', 'nodeBytesInFlightMax'],
    says: '`MAX_BODY_SIZE_BYTES` is at most `NODE_BYTES_IN_FLIGHT_MAX`, or the largest body would never reach another node.',
    problem: ({ maxBodySizeBytes, nodeBytesInFlightMax }) =>
      atMost('maxBodySizeBytes', maxBodySizeBytes, 'nodeBytesInFlightMax', nodeBytesInFlightMax),
  },
  {
    reads: ['appendTimeoutMs', 'requestTimeoutSecs'],
    says: '`APPEND_TIMEOUT_MS` leaves a fifth of `REQUEST_TIMEOUT_SECS` (of a long one less) for the answer to travel back: statement < append < call between nodes < request.',
    problem({ appendTimeoutMs, requestTimeoutSecs }) {
      const longest = longestAppendMs(requestTimeoutSecs);
      return appendTimeoutMs <= longest
        ? null
        : `APPEND_TIMEOUT_MS is ${appendTimeoutMs}; with REQUEST_TIMEOUT_SECS at ${requestTimeoutSecs} it takes at most ${longest}, so that the append's answer still reaches the caller`;
    },
  },
  {
    reads: ['dbStatementTimeoutMs', 'requestTimeoutSecs'],
    says: '`DB_STATEMENT_TIMEOUT_MS` is at most `REQUEST_TIMEOUT_SECS`: nobody waits for a statement after that.',
    problem: ({ dbStatementTimeoutMs, requestTimeoutSecs }) =>
      dbStatementTimeoutMs <= requestTimeoutSecs * 1_000
        ? null
        : `DB_STATEMENT_TIMEOUT_MS is ${dbStatementTimeoutMs}; it takes at most the ${requestTimeoutSecs * 1_000} milliseconds of REQUEST_TIMEOUT_SECS, after which nobody waits for the statement`,
  },
  {
    reads: ['payloadEncryptionKeys', 'payloadEncryptionKey'],
    says: 'Of `PAYLOAD_ENCRYPTION_KEYS` and `PAYLOAD_ENCRYPTION_KEY` at most one is set.',
    problem: ({ payloadEncryptionKeys, payloadEncryptionKey }) =>
      payloadEncryptionKeys !== null && payloadEncryptionKey !== null
        ? 'PAYLOAD_ENCRYPTION_KEYS and PAYLOAD_ENCRYPTION_KEY are both set; give the list alone, with the key that encrypts first'
        : null,
  },
  {
    reads: ['payloadEncryptionMode', 'payloadEncryptionKeys', 'payloadEncryptionKey'],
    says: '`PAYLOAD_ENCRYPTION_MODE` `optional` and `required` take `PAYLOAD_ENCRYPTION_KEYS` or `PAYLOAD_ENCRYPTION_KEY`.',
    problem: ({ payloadEncryptionMode: mode, payloadEncryptionKeys, payloadEncryptionKey }) =>
      mode === 'disabled' || payloadEncryptionKeys !== null || payloadEncryptionKey !== null
        ? null
        : `PAYLOAD_ENCRYPTION_MODE is "${mode}" and there is no key; it takes PAYLOAD_ENCRYPTION_KEYS or PAYLOAD_ENCRYPTION_KEY, for one the output of openssl rand -hex 32, or PAYLOAD_ENCRYPTION_MODE=disabled`,
  },
];

/** What is allowed and still unwise, as sentences for the log. */
export function warningsAbout(values: SettingValues, production: boolean): string[] {
  const warnings: string[] = [];
  for (const name of ['bootstrapAdminApiKey', 'jwtSecret', 'metricsToken'] as const) {
    const problem = production ? null : problemOfSecret(name, values[name]);
    if (problem !== null) warnings.push(`${problem}; production would refuse it`);
  }
  const signs = values.vesReceiptSigning && values.nodeServices.some((service) => service !== 'gateway');
  if (production && signs && values.vesSequencerSigningKey === null) {
    warnings.push(
      'VES_SEQUENCER_SIGNING_KEY is not set: the node keeps a key of its own in DATA_DIR, and signs with a new one whenever that is lost',
    );
  }
  return warnings;
}

function problemOfSecret(name: SettingName, value: string | null): string | null {
  if (value === null) return null;
  const { env } = definitions[name];
  if (value.length < secretLengthMin) {
    return `${env} has ${value.length} characters; it takes at least ${secretLengthMin}, so that nobody can guess it (openssl rand -hex 32 makes one)`;
  }
  const different = new Set(value).size;
  return different >= secretCharactersMin
    ? null
    : `${env} has ${different} different characters; it takes at least ${secretCharactersMin}, so that nobody can guess it (openssl rand -hex 32 makes one)`;
}

function atMost(
  lower: SettingName,
  lowerValue: number,
  upper: SettingName,
  upperValue: number,
): string | null {
  return lowerValue <= upperValue
    ? null
    : `${definitions[lower].env} is ${lowerValue}; it takes at most ${definitions[upper].env}, which is ${upperValue}`;
}
