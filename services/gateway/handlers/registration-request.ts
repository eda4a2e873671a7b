import { FieldNames } from '../../../domain/json/field-names.ts';
import { FieldReader } from '../../../domain/json/fields.ts';
import { JsonReader } from '../../../domain/json/reader.ts';
import type { StoreId, TenantId } from '../../../domain/types.ts';
import { readUuids } from './api-key-request.ts';

/** An agent as it wants to be registered. */
export interface RegistrationRequest {
  readonly name: string;
  readonly description: string | null;
  readonly storeIds: readonly StoreId[];
  readonly readOnly: boolean;
  readonly rateLimit: number | null;
  readonly tenantId: TenantId | null;
  readonly admin: boolean;
}

/** Why a registration is refused; the status and code that clients know it by. */
export interface RegistrationRefusal {
  readonly status: 400 | 403;
  readonly code: string;
  readonly error: string;
}

const fields = new FieldReader(new JsonReader('jcs'));
export const registrationNames = new FieldNames([
  'name',
  'description',
  'storeIds',
  'readOnly',
  'rateLimit',
  'tenantId',
  'admin',
]);
const u32Max = 0xffff_ffffn;
export const registrationLimits = {
  nameBytesMax: 128,
  descriptionBytesMax: 1_024,
  storesMax: 50,
  rateLimitMax: 10_000,
} as const;
const { nameBytesMax, descriptionBytesMax, storesMax, rateLimitMax } = registrationLimits;

/** @throws Refused for what is no JSON object, or lacks a name, or has a field of the wrong type */
export function readRegistrationRequest(body: Uint8Array): RegistrationRequest {
  const found: { -readonly [Name in keyof RegistrationRequest]?: RegistrationRequest[Name] } = {};
  fields.open(body);
  const at = fields.object(registrationNames, (name) => {
    if (name !== 'name' && fields.isNull()) return;
    switch (name) {
      case 'name':
      case 'description':
        found[name] = fields.text();
        break;
      case 'storeIds':
        found.storeIds = readUuids(fields, storesMax + 1);
        break;
      case 'readOnly':
      case 'admin':
        found[name] = fields.boolean();
        break;
      case 'rateLimit':
        found.rateLimit = Number(fields.integer(u32Max));
        break;
      case 'tenantId':
        found.tenantId = fields.uuid();
    }
  });
  fields.finish();
  if (found.name === undefined) throw fields.missing(at, 'name');
  return {
    name: found.name.trim(),
    description: found.description ?? null,
    storeIds: found.storeIds ?? [],
    readOnly: found.readOnly ?? false,
    rateLimit: found.rateLimit ?? null,
    tenantId: found.tenantId ?? null,
    admin: found.admin ?? false,
  };
}

/** The first rule that a registration breaks, in the order in which clients of the reference meet them; null when none. */
export function refusalOf(request: RegistrationRequest): RegistrationRefusal | null {
  const { name, description, storeIds, rateLimit, tenantId, admin } = request;
  if (name === '') return bad('INVALID_NAME', 'name is empty');
  if (Buffer.byteLength(name) > nameBytesMax) {
    return bad('NAME_TOO_LONG', `name is longer than ${nameBytesMax} bytes`);
  }
  if (Buffer.byteLength(description ?? '') > descriptionBytesMax) {
    return bad('DESCRIPTION_TOO_LONG', `description is longer than ${descriptionBytesMax} bytes`);
  }
  if (storeIds.length > storesMax) {
    return bad('STORE_IDS_TOO_MANY', `storeIds has more than ${storesMax} stores`);
  }
  if (rateLimit !== null && (rateLimit < 1 || rateLimit > rateLimitMax)) {
    return bad(
      'RATE_LIMIT_INVALID',
      `rateLimit is ${rateLimit}; accepted is an integer from 1 to ${rateLimitMax}`,
    );
  }
  if (tenantId !== null) {
    return bad('TENANT_ID_NOT_ALLOWED', 'tenantId is given; every registration makes a tenant of its own');
  }
  if (admin) return { status: 403, code: 'ADMIN_NOT_ALLOWED', error: 'nobody registers as an administrator' };
  return null;
}

function bad(code: string, error: string): RegistrationRefusal {
  return { status: 400, code, error };
}
