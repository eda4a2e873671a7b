import { integer, optionalInteger } from '../definition.ts';

/** How much of a node one caller may have. */
export const limitDefinitions = {
  rateLimitPerMinute: optionalInteger({
    env: 'RATE_LIMIT_PER_MINUTE',
    min: 1,
    max: 1_000_000_000,
    unit: 'requests',
    why: 'what each tenant may ask in a minute, over all nodes and credentials; the request after gets 429. All bootstrap administrators are one tenant. Unset, only the limits of single API keys hold',
  }),
  maxStoresPerTenant: integer({
    env: 'MAX_STORES_PER_TENANT',
    default: 10_000,
    min: 0,
    max: 1_000_000_000,
    unit: 'stores',
    why: 'a request that would make one store more gets 429; stores that exist are served whatever the number, and events for them accepted. It holds for everyone, the bootstrap administrator too: to let a tenant have more, raise it on every node. 0 is no bound',
  }),
  rateLimitMaxEntries: integer({
    env: 'RATE_LIMIT_MAX_ENTRIES',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    unit: 'keys',
    why: 'tenants, and API keys with a limit of their own, that a node counts at once; the one unused for longest makes room. On a node alone its count starts anew with its next request, in a cluster the other nodes still know it',
  }),
  rateLimitWindowSeconds: integer({
    env: 'RATE_LIMIT_WINDOW_SECONDS',
    default: 60,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    why: "the window in which an API key's own limit counts; that of RATE_LIMIT_PER_MINUTE is always a minute",
  }),
};
