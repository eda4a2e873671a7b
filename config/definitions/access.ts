import { boolean, choice, integer, secret, text } from '../definition.ts';

/** Who may call. */
export const accessDefinitions = {
  authMode: choice({
    env: 'AUTH_MODE',
    default: 'required',
    values: ['required', 'disabled'],
    why: 'disabled makes every caller the administrator; it also needs ALLOW_AUTH_DISABLED and is refused in production',
  }),
  allowAuthDisabled: boolean({
    env: 'ALLOW_AUTH_DISABLED',
    default: false,
    why: 'the second switch, so that one slip of the pen does not open a node to everyone',
  }),
  bootstrapAdminApiKey: secret({
    env: 'BOOTSTRAP_ADMIN_API_KEY',
    default: null,
    accepts: 'printable ASCII without spaces',
    pattern: /^[\x21-\x7e]+$/,
    why: 'a key with all rights on all tenants, stored as a hash at start; below 32 characters it is refused in production and warned about elsewhere. Unset, a node outside production makes one when the database has no active key, and keeps it in DATA_DIR',
  }),
  auditLogEnabled: boolean({
    env: 'AUDIT_LOG_ENABLED',
    default: true,
    why: 'who changed keys, schemas and settings is recorded in the table audit_log; off records nothing',
  }),
  jwtSecret: secret({
    env: 'JWT_SECRET',
    default: null,
    accepts: 'any text; spaces around it do not count',
    pattern: /^.+$/,
    why: 'whoever knows it can sign tokens for any tenant (HS256); set on all nodes to the same, and unset no token is accepted; below 32 characters it is refused in production and warned about elsewhere',
  }),
  jwtIssuer: text({
    env: 'JWT_ISSUER',
    default: 'stateset-sequencer',
    accepts: 'any text',
    pattern: /^.+$/,
    why: 'what the claim iss of every token must be',
  }),
  jwtAudience: text({
    env: 'JWT_AUDIENCE',
    default: 'stateset-api',
    accepts: 'any text',
    pattern: /^.+$/,
    why: 'what the claim aud of every token must be, as a single text',
  }),
  publicAgentRegistrationEnabled: boolean({
    env: 'PUBLIC_AGENT_REGISTRATION_ENABLED',
    default: false,
    why: 'lets everyone who reaches the port make an agent in a tenant of its own, with a key; only for nodes that are meant for the public',
  }),
  publicAgentRegistrationRateLimitPerMinute: integer({
    env: 'PUBLIC_AGENT_REGISTRATION_RATE_LIMIT_PER_MINUTE',
    default: 30,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    why: 'registrations that one client address may try in a minute on each node, good or bad',
  }),
  publicAgentRegistrationAddressesMax: integer({
    env: 'PUBLIC_AGENT_REGISTRATION_ADDRESSES_MAX',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    unit: 'addresses',
    why: 'client addresses whose registrations are counted; beyond it the one that has been quiet longest is forgotten, and begins again',
  }),
  maxActiveApiKeysPerOwner: integer({
    env: 'MAX_ACTIVE_API_KEYS_PER_OWNER',
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'keys',
    why: 'active API keys of one agent, and of one tenant that are bound to no agent; a program that makes keys in a loop fills the table no further',
  }),
  keyCacheMax: integer({
    env: 'KEY_CACHE_MAX',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    unit: 'keys',
    why: 'checked API keys kept in memory, and as many tokens; a caller beyond it costs a look-up in Postgres, a token a signature check',
  }),
  keyCacheTtlSecs: integer({
    env: 'KEY_CACHE_TTL_SECS',
    default: 60,
    min: 1,
    max: 3_600,
    unit: 'seconds',
    why: 'a key is looked up again after this long; a revocation acts within a second whatever the value',
  }),
};
