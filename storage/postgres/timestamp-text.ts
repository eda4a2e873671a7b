import { formatTimestamp } from '../../domain/time.ts';
import type { Micros } from '../../domain/types.ts';

/** An instant as a parameter of type timestamptz. Postgres has no year 0: what RFC 3339 calls 0000 is its 1 BC. */
export function timestampText(micros: Micros | null): string | null {
  if (micros === null) return null;
  const text = formatTimestamp(micros, '+00:00');
  return text.startsWith('0000') ? `0001${text.slice(4)} BC` : text;
}
