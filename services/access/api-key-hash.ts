import { hash } from 'node:crypto';
import type { ApiKeyHash } from '../../domain/types.ts';

/** The stored form of an API key, given its text. */
export function hashApiKey(text: string): ApiKeyHash {
  return hash('sha256', text, 'hex') as ApiKeyHash;
}
