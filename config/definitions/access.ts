import { boolean, choice, integer, secret } from '../definition.ts';

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
  keyCacheMax: integer({
    env: 'KEY_CACHE_MAX',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    unit: 'keys',
    why: 'checked API keys kept in memory; a caller beyond it costs a look-up in Postgres',
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
