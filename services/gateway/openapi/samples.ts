import { hex, integer, list, oneOf, text, timestamp, u32, u64, uuid } from './shape.ts';
import { nameLimits } from '../../../domain/check-request.ts';
import { optionalQuery, type ParameterDescription, queryParameter } from './description.ts';

/** The values that every example uses, so that one example finds what another made. */
export const sample = {
  tenant: '11111111-1111-4111-8111-111111111111',
  store: '22222222-2222-4222-8222-222222222222',
  agent: '33333333-3333-4333-8333-333333333333',
  event: '44444444-4444-4444-8444-444444444444',
  signedEvent: '55555555-5555-4555-8555-555555555555',
  /** Made by a node, so only one of its kind. */
  generated: '6f0d2a52-7a51-4f2f-9d54-0d4c9a3ce1b7',
  time: '2026-01-31T12:00:00Z',
  payload: { total: 99.9, currency: 'EUR' },
  /** SHA-256 of `a`, for hashes of which only the form matters. */
  hash: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
} as const;

export const tenantId = uuid(sample.tenant);
export const storeId = uuid(sample.store);
export const agentId = uuid(sample.agent);
export const generatedId = uuid(sample.generated);
export const time = timestamp(sample.time);
export const hash = hex(32, sample.hash);
export const count = integer(1);
export const sequence = u64(1);
export const permissions = oneOf(['read_write', 'read', 'admin']);
export const rateLimit = u32(600);
export const storeIds = list(storeId);

const { entityType, entityId, eventType } = nameLimits;
/** Their lengths are counted in bytes of UTF-8, so that of a text with other letters than English ones is lower. */
export const names = {
  entityType: text('order', { minLength: 1, maxLength: entityType.bytesMax }),
  entityId: text('order-1001', { minLength: 1, maxLength: entityId.bytesMax }),
  eventType: text('order.created', { minLength: 1, maxLength: eventType.bytesMax }),
} as const;

/** The two parameters with which most reads name a store. */
export const storeQuery: readonly ParameterDescription[] = [
  queryParameter('tenant_id', 'The tenant', tenantId),
  queryParameter('store_id', 'One of its stores', storeId),
];

export const tenantQuery = queryParameter('tenant_id', 'The tenant', tenantId);

/** How many entries; more than the maximum counts as the maximum. */
export function limitQuery(byDefault: number, max: number, least: 0 | 1 = 1): ParameterDescription {
  return optionalQuery(
    'limit',
    `At most this many; ${byDefault} unless given, and above ${max} it counts as ${max}`,
    u32Limit(byDefault, least),
  );
}

function u32Limit(byDefault: number, least: 0 | 1): ReturnType<typeof u32> {
  const { schema, example } = u32(byDefault);
  return { schema: { ...schema, minimum: least, default: byDefault }, example };
}
