import type { Principal } from '../../domain/access.ts';
import { Refused } from '../../domain/errors.ts';
import type { ApiKeyRecord, ApiKeys, KeyOwner } from '../../storage/api-keys.ts';
import { newApiKey, type NewApiKey } from './new-api-key.ts';

/**
 * Makes a key for this principal.
 * @throws Refused when its owner has as many active keys as it may
 */
export async function mintApiKey(
  keys: Pick<ApiKeys, 'insertKey'>,
  principal: Principal,
  activeKeysMax: number,
): Promise<NewApiKey> {
  const key = newApiKey(principal.tenantId);
  if (await keys.insertKey(key.hash, principal, activeKeysMax)) return key;
  throw new Refused(
    'CONFLICT',
    `there are ${activeKeysMax} active keys already, which is the most (MAX_ACTIVE_API_KEYS_PER_OWNER); revoke one first`,
  );
}

/**
 * Revokes the owner's key whose hash begins so; a second time changes nothing.
 * @returns the key, as it was before
 * @throws Refused when there is none, or more than one
 */
export async function revokeByPrefix(
  keys: Pick<ApiKeys, 'findByPrefix' | 'revoke'>,
  owner: KeyOwner,
  prefix: string,
): Promise<ApiKeyRecord> {
  const digits = prefix.toLowerCase();
  const found = hexDigits.test(digits) ? await keys.findByPrefix(owner, digits, 2) : [];
  const [key, another] = found;
  if (key === undefined) throw new Refused('NOT_FOUND', 'there is no such API key');
  if (another !== undefined) {
    throw new Refused('CONFLICT', 'several API keys begin with this prefix; give more of its digits');
  }
  await keys.revoke(key.hash);
  return key;
}

const hexDigits = /^[0-9a-f]{1,64}$/;
