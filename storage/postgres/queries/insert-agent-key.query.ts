import type { NewAgentKey } from '../../../domain/ves/agent-key.ts';
import type { Query } from '../query.ts';
import { timestampText } from '../timestamp-text.ts';

/** One row if the number was free, none if not. */
export const insertAgentKey: Query<NewAgentKey, unknown> = {
  name: 'insert_agent_key',
  text: `
    insert into agent_keys (tenant_id, agent_id, key_id, public_key, algorithm, valid_from, valid_to)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict do nothing
    returning key_id`,
  values: (key) => [
    key.tenantId,
    key.agentId,
    key.keyId,
    key.publicKey,
    key.algorithm,
    timestampText(key.validFrom),
    timestampText(key.validTo),
  ],
  row: (columns) => columns,
};
