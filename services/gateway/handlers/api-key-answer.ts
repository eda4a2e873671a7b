import { formatTimestamp } from '../../../domain/time.ts';
import { permissionsOf } from '../../../domain/key-grant.ts';
import type { ApiKeyRecord } from '../../../storage/api-keys.ts';
import { hashPrefixOf } from '../../access/new-api-key.ts';

/** An API key as lists tell it; its text is known to nobody but its holder. */
export function apiKeyBody({ hash, active, principal, createdAt }: ApiKeyRecord): object {
  return {
    keyHashPrefix: hashPrefixOf(hash),
    active,
    permissions: permissionsOf(principal),
    rateLimit: principal.requestsPerMinuteMax,
    agentId: principal.agentId,
    storeIds: principal.storeIds,
    createdAt: formatTimestamp(createdAt, 'Z'),
  };
}
