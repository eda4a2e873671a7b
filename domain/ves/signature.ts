import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { sameBytes, toHex } from '../bytes.ts';

/**
 * Whether an Ed25519 signature (64 bytes) by a public key (32 bytes) covers a message. Implementations differ on odd
 * signatures, so all verdicts of a sequencer come from one.
 */
export type VerifyEd25519 = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;

/**
 * RFC 8032 in pure JavaScript, cofactorless as OpenSSL does it: R must be, byte for byte, S·B − k·A. Refused are an S
 * that is not reduced, a key that is not canonical or of small order, and an R of small order, as OpenSSL 3.5 refuses
 * them. Never throws: what is no signature or no key does not verify.
 */
export const portableVerifyEd25519: VerifyEd25519 = (signature, message, publicKey) => {
  if (signature.length !== 64) return false;
  const key = usablePoint(publicKey);
  const s = littleEndian(signature.subarray(32));
  const r = signature.subarray(0, 32);
  if (key === null || s >= Point.Fn.ORDER || isSmallOrder(r)) return false;
  const k = Point.Fn.create(
    littleEndian(sha512.create().update(r).update(publicKey).update(message).digest()),
  );
  return sameBytes(Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k)).toBytes(), r);
};

/** Whether these bytes are a point of the curve, canonically written, and not one of small order, which signs for anyone. */
export function isUsablePublicKey(publicKey: Uint8Array): boolean {
  return usablePoint(publicKey) !== null;
}

/**
 * Whether these 32 bytes are, canonically written, one of the eight points whose order divides eight. No one who signs by the
 * rules ever has such an R.
 */
export function isSmallOrder(point: Uint8Array): boolean {
  return smallOrderPoints.some((bytes) => sameBytes(bytes, point));
}

const { Point } = ed25519;

/** The multiples of a point of order eight. */
const smallOrderPoints: readonly Uint8Array[] = Array.from({ length: 8 }, (_, factor) => {
  const generator = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  return Array.from({ length: factor }).reduce((sum: typeof generator) => sum.add(generator), Point.ZERO);
}).map((point) => point.toBytes());

function usablePoint(publicKey: Uint8Array): InstanceType<typeof Point> | null {
  try {
    const point = Point.fromBytes(publicKey, false);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}
