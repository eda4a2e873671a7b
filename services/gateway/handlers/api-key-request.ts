import { Refused } from '../../../domain/errors.ts';
import { FieldNames } from '../../../domain/json/field-names.ts';
import { FieldReader } from '../../../domain/json/fields.ts';
import { JsonReader } from '../../../domain/json/reader.ts';
import type { WantedKey } from '../../../domain/key-grant.ts';
import type { AgentId, StoreId } from '../../../domain/types.ts';

/** A key as someone wants it made. */
export interface ApiKeyRequest extends WantedKey {
  /** Read on the routes of tenants only. */
  readonly agentId: AgentId | null;
}

const fields = new FieldReader(new JsonReader('jcs'));
export const apiKeyRequestNames = new FieldNames(['agentId', 'storeIds', 'readOnly', 'admin', 'rateLimit']);
const u32Max = 0xffff_ffffn;
/** Each cached key holds its list. */
export const apiKeyStoresMax = 1_000;

/** @throws Refused for what is no JSON object, or has a field of the wrong type, or too many stores */
export function readApiKeyRequest(body: Uint8Array): ApiKeyRequest {
  const found: {
    agentId?: AgentId;
    storeIds?: StoreId[];
    readOnly?: boolean;
    admin?: boolean;
    rateLimit?: number;
  } = {};
  fields.open(body);
  fields.object(apiKeyRequestNames, (name) => {
    if (fields.isNull()) return;
    switch (name) {
      case 'agentId':
        found.agentId = fields.uuid();
        break;
      case 'storeIds':
        found.storeIds = readUuids(fields, apiKeyStoresMax + 1);
        break;
      case 'readOnly':
      case 'admin':
        found[name] = fields.boolean();
        break;
      case 'rateLimit':
        found.rateLimit = Number(fields.integer(u32Max));
    }
  });
  fields.finish();
  if ((found.storeIds?.length ?? 0) > apiKeyStoresMax) {
    throw new Refused(
      'INVALID_FIELD_VALUE',
      `storeIds has more than ${apiKeyStoresMax} stores; leave it out to allow all stores of the tenant`,
    );
  }
  return {
    agentId: found.agentId ?? null,
    storeIds: found.storeIds ?? null,
    readOnly: found.readOnly ?? null,
    admin: found.admin ?? null,
    requestsPerMinuteMax: found.rateLimit ?? null,
  };
}

/** An array of UUIDs, of which no more than `max` are kept: enough to know that there are too many. */
export function readUuids(reader: FieldReader, max: number): StoreId[] {
  const uuids: StoreId[] = [];
  reader.array(() => {
    const uuid = reader.uuid();
    if (uuids.length < max) uuids.push(uuid);
  });
  return uuids;
}
