import { parseBase64Url } from '../base64url.ts';
import type { Strictness } from '../base64url.ts';

/** The encrypted payload of an event as its sender wrote it (ves-format 5): the right types, and nothing else checked. */
export interface EncryptedPayload {
  readonly encVersion: number;
  readonly aead: string;
  readonly nonce: string;
  readonly ciphertext: string;
  readonly tag: string;
  readonly hpke: { readonly mode: string; readonly kem: string; readonly kdf: string; readonly aead: string };
  readonly recipients: readonly { readonly kid: number; readonly enc: string; readonly ct: string }[];
}

/** The same in bytes, all of the lengths that they must have. */
export interface CipherParts {
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
  /** Ascending by key id, at least one. */
  readonly recipients: readonly Recipient[];
}

/** Someone who can open the payload, and the payload's key sealed for them. */
export interface Recipient {
  readonly kid: number;
  /** 32 bytes: the sender's ephemeral key. */
  readonly enc: Uint8Array;
  /** 48 bytes: the payload's key, encrypted, and its tag. */
  readonly ct: Uint8Array;
}

/**
 * Checks the structure of an encrypted payload, in the published order, and decodes it.
 * @returns the parts, or the path of the first field that is wrong
 */
export function decodeEncryptedPayload(
  payload: EncryptedPayload,
  strictness: Strictness,
): CipherParts | string {
  const { encVersion, aead, hpke, recipients } = payload;
  if (encVersion < 1 || encVersion > 3) return 'payload_encrypted.enc_version';
  if (aead !== 'AES-256-GCM') return 'payload_encrypted.aead';
  if (!hpkeModes.includes(hpke.mode)) return 'payload_encrypted.hpke.mode';
  if (!hpkeKems.includes(hpke.kem)) return 'payload_encrypted.hpke.kem';
  if (hpke.kdf !== 'HKDF-SHA256') return 'payload_encrypted.hpke.kdf';
  if (hpke.aead !== 'AES-256-GCM') return 'payload_encrypted.hpke.aead';
  const nonce = parseBase64Url(payload.nonce, strictness);
  if (nonce?.length !== 12) return 'payload_encrypted.nonce_b64u';
  const ciphertext = parseBase64Url(payload.ciphertext, strictness);
  if (ciphertext === null || ciphertext.length === 0) return 'payload_encrypted.ciphertext_b64u';
  const tag = parseBase64Url(payload.tag, strictness);
  if (tag?.length !== 16) return 'payload_encrypted.tag_b64u';
  if (recipients.length === 0) return 'payload_encrypted.recipients';
  // All key ids before any key: that is the order in which faults are told.
  for (const [index, { kid }] of recipients.entries()) {
    if (index > 0 && kid <= (recipients[index - 1]?.kid ?? -1)) {
      return `payload_encrypted.recipients[${index}].recipient_kid`;
    }
  }
  const decoded: Recipient[] = [];
  for (const [index, recipient] of recipients.entries()) {
    const enc = parseBase64Url(recipient.enc, strictness);
    if (enc?.length !== 32) return `payload_encrypted.recipients[${index}].enc_b64u`;
    const ct = parseBase64Url(recipient.ct, strictness);
    if (ct?.length !== 48) return `payload_encrypted.recipients[${index}].ct_b64u`;
    decoded.push({ kid: recipient.kid, enc, ct });
  }
  return { nonce, ciphertext, tag, recipients: decoded };
}

const hpkeModes = ['base', 'hybrid-base', 'pqc-base'];
const hpkeKems = ['X25519-HKDF-SHA256', 'x25519+mlkem768', 'mlkem768'];
