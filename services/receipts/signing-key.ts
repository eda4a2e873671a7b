import { parseBase64Url } from '../../domain/base64url.ts';
import { parseHex } from '../../domain/bytes.ts';

/**
 * Reads the private key that receipts are signed with: 32 bytes as hex, with or without 0x, or as base64 of either alphabet.
 * @returns null when the text is none of these
 */
export function readSigningKey(text: string): Uint8Array | null {
  const hex = parseHex(text.replace(/^0x/, ''), keyBytes);
  if (hex !== null) return hex;
  const base64 = parseBase64Url(text.replaceAll('+', '-').replaceAll('/', '_'), 'lenient');
  return base64?.length === keyBytes ? base64 : null;
}

const keyBytes = 32;
