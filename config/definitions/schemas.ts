import { boolean, integer, spelled } from '../definition.ts';

/** What payloads must look like. */
export const schemaDefinitions = {
  schemaValidationMode: spelled({
    env: 'SCHEMA_VALIDATION_MODE',
    default: 'enforce',
    spellings: {
      disabled: ['off', 'none', 'false', '0'],
      warn: ['warnonly', 'warn_only', 'warning'],
      enforce: ['on', 'true', '1'],
      required: ['strict', 'require'],
    },
    why: 'warn logs and counts payloads that break the schema of their event type; enforce rejects these events; required also rejects events of a type without an active schema',
  }),
  schemaCompatibilityEnforced: boolean({
    env: 'SCHEMA_COMPATIBILITY_ENFORCED',
    default: false,
    why: 'on refuses a version that does not keep the compatibility it declares with the version that is active, or of which that can not be proved',
  }),
  schemaEventTypesMax: integer({
    env: 'SCHEMA_EVENT_TYPES_MAX',
    default: 1_000,
    min: 1,
    max: 100_000,
    unit: 'event types',
    why: 'for how many event types a tenant may have schemas; every node that sequences for the tenant holds the list in memory',
  }),
  cacheSchemaMax: integer({
    env: 'CACHE_SCHEMA_MAX',
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'schemas',
    why: "compiled schemas, and tenants' lists of them, that are kept in memory; another costs a look-up in Postgres and some milliseconds to compile",
  }),
  cacheSchemaTtlSecs: integer({
    env: 'CACHE_SCHEMA_TTL_SECS',
    default: 600,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    why: 'a schema is looked up again after this long; a change acts within a second whatever the value',
  }),
};
