import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { toHex } from '../domain/bytes.ts';
import type { SignatureBytes } from '../domain/ves/event.ts';
import { CountedCache } from '../telemetry/counted-cache.ts';
import type { CacheFigures } from '../telemetry/metrics/caches.ts';
import { isSmallOrder, isUsablePublicKey } from '../domain/ves/signature.ts';

/**
 * Ed25519 by OpenSSL, on the threads of libuv. All verdicts of a server come from here, and those of the portable
 * implementation (domain/ves/signature.ts) are the same: test/unit/ed25519-verdicts.test.ts has a table of odd cases.
 *
 * OpenSSL refuses an S that is not reduced and compares R byte for byte. What it says of keys and of an R of small order, and
 * of keys that are not canonical, depends on its version, so these are refused before it is asked.
 */

/** A public key that signatures can be checked with; null for one that vouches for nothing. */
export type PreparedPublicKey = KeyObject | null;

/** Public keys, prepared once: that costs as much as some signatures. */
export class PreparedPublicKeys {
  private readonly prepared: CountedCache<string, { readonly key: PreparedPublicKey }>;

  constructor(keysMax: number) {
    this.prepared = new CountedCache({ max: keysMax });
  }

  get figures(): CacheFigures {
    return this.prepared.figures;
  }

  /** @param publicKey 32 bytes */
  prepare(publicKey: Uint8Array): PreparedPublicKey {
    const text = toHex(publicKey);
    const known = this.prepared.get(text);
    if (known !== undefined) return known.key;
    const key = preparePublicKey(publicKey);
    this.prepared.set(text, { key });
    return key;
  }
}

/** Null unless the 32 bytes are a canonically written point that is not of small order. */
export function preparePublicKey(publicKey: Uint8Array): PreparedPublicKey {
  if (!isUsablePublicKey(publicKey)) return null;
  return createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
}

/** Whether a signature (64 bytes) by this key covers the message. */
export function verifyEd25519(
  signature: SignatureBytes,
  message: Uint8Array,
  key: PreparedPublicKey,
): Promise<boolean> {
  if (key === null || isSmallOrder(signature.subarray(0, 32))) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    verify(null, message, key, signature, (error, isGood) => {
      if (error === null) resolve(isGood);
      else reject(error);
    });
  });
}

/** A key pair to sign with. */
export interface SigningKey {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<SignatureBytes>;
}

/** @param seed 32 bytes: the private key as RFC 8032 has it */
export function openSigningKey(seed: Uint8Array): SigningKey {
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(spki.subarray(spkiPrefix.length)),
    sign: (message) =>
      new Promise((resolve, reject) => {
        sign(null, message, privateKey, (error, signature) => {
          if (error === null) resolve(signature);
          else reject(error);
        });
      }),
  };
}

/** What comes before the bytes of an Ed25519 key in the two forms that OpenSSL reads (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
