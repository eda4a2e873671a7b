import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { toHex } from '../../domain/bytes.ts';
import type { Cryptography } from '../../domain/verify/cryptography.ts';
import { isUsablePublicKey, portableVerifyEd25519, type VerifyEd25519 } from '../../domain/ves/signature.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';

/** A signature about which OpenSSL and the portable implementation do not agree. */
export interface Disagreement {
  readonly publicKey: string;
  readonly signature: string;
  /** The portable verdict, which is the one that counts. */
  readonly portable: boolean;
}

/**
 * OpenSSL's cryptography, ten times as fast, with the portable verdict wherever the two could differ: for keys that are odd,
 * and for what OpenSSL refuses.
 */
export class NodeCryptography implements Cryptography {
  readonly sha256 = nodeSha256;
  /** At most a few; one is as telling as many. */
  readonly disagreements: Disagreement[] = [];
  private readonly keys = new Map<string, { readonly key: KeyObject; readonly isUsable: boolean }>();
  private refusalsCompared = 0;

  readonly verifyEd25519: VerifyEd25519 = (signature, message, publicKey) => {
    const { key, isUsable } = this.keyOf(publicKey);
    const openSsl = signature.length === 64 && verifies(signature, message, key);
    if (isUsable && (openSsl || this.refusalsCompared++ >= refusalsComparedMax)) return openSsl;
    const portable = portableVerifyEd25519(signature, message, publicKey);
    if (portable !== openSsl && this.disagreements.length < disagreementsMax) {
      this.disagreements.push({ publicKey: toHex(publicKey), signature: toHex(signature), portable });
    }
    return portable;
  };

  private keyOf(publicKey: Uint8Array): { readonly key: KeyObject; readonly isUsable: boolean } {
    const text = toHex(publicKey);
    let known = this.keys.get(text);
    if (known === undefined) {
      const spki = Buffer.concat([spkiPrefix, publicKey]);
      known = {
        key: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
        isUsable: isUsablePublicKey(publicKey),
      };
      this.keys.set(text, known);
    }
    return known;
  }
}

/** A file full of wrong signatures is not worth a slow look at each. */
const refusalsComparedMax = 100;
const disagreementsMax = 10;
/** What comes before the 32 bytes of an Ed25519 key in the form that OpenSSL reads (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

function verifies(signature: Uint8Array, message: Uint8Array, key: KeyObject): boolean {
  try {
    return verify(null, message, key, signature);
  } catch {
    return false; // No point of the curve.
  }
}
