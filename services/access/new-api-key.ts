import { randomBytes } from 'node:crypto';
import type { ApiKeyHash, TenantId } from '../../domain/types.ts';
import { hashApiKey } from './api-key-hash.ts';

/** A key that was just made; its text is shown once and kept nowhere. */
export interface NewApiKey {
  readonly text: string;
  readonly hash: ApiKeyHash;
}

/** `ss_`, the first 8 characters of the tenant, and 24 random bytes as base64url: 43 characters. */
export function newApiKey(tenantId: TenantId): NewApiKey {
  const text = `ss_${tenantId.slice(0, 8)}${randomBytes(24).toString('base64url')}`;
  return { text, hash: hashApiKey(text) };
}

/** What names a key where its text must not appear. */
export function hashPrefixOf(hash: ApiKeyHash): string {
  return hash.slice(0, hashPrefixLength);
}

const hashPrefixLength = 16;
