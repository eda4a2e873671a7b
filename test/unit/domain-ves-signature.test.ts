import { createPublicKey, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { parseHex } from '../../domain/bytes.ts';
import { isUsablePublicKey, portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import { vectors } from '../vectors/ves-v1.ts';

const { Point } = ed25519;
const seed = parseHex(vectors.keys.ed25519[0]!.seed, 32)!;
const publicKey = parseHex(vectors.keys.ed25519[0]!.public_key, 32)!;
const message = new Uint8Array(32).fill(7);
const signature = ed25519.sign(message, seed);
/** A point whose order is eight: it is on the curve, and outside the group that keys come from. */
const torsion = Point.fromBytes(
  parseHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 32)!,
);

function verifiesByOpenSsl(of: Uint8Array, text: Uint8Array, key: Uint8Array): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  return verify(null, text, createPublicKey({ key: spki, format: 'der', type: 'spki' }), of);
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** A signature that holds only when both sides are multiplied by eight, by a key with a torsion part. */
function cofactoredOnly(text: Uint8Array): { of: Uint8Array; key: Uint8Array; dividesEight: boolean } {
  const { scalar } = ed25519.utils.getExtendedPublicKey(seed);
  const key = Point.BASE.multiply(scalar).add(torsion).toBytes();
  const nonce = 1_234_567_891_011n;
  const r = Point.BASE.multiply(nonce).toBytes();
  const k = Point.Fn.create(toNumber(sha512(Uint8Array.of(...r, ...key, ...text))));
  const s = Point.Fn.create(nonce + k * scalar);
  return { of: Uint8Array.of(...r, ...littleEndian(s)), key, dividesEight: k % 8n === 0n };
}

test('a signature verifies for its message and its key only', () => {
  expect(portableVerifyEd25519(signature, message, publicKey)).toBe(true);
  const other = parseHex(vectors.keys.ed25519[1]!.public_key, 32)!;
  expect(portableVerifyEd25519(signature, message, other)).toBe(false);
  expect(portableVerifyEd25519(signature, new Uint8Array(32), publicKey)).toBe(false);
});

test('an S that is not reduced is refused', () => {
  const s = toNumber(signature.subarray(32)) + Point.Fn.ORDER;
  const forged = Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(s));
  expect(portableVerifyEd25519(forged, message, publicKey)).toBe(false);
});

test('a signature that holds only up to the cofactor is refused, as OpenSSL refuses it', () => {
  for (let tries = 0; tries < 20; tries++) {
    const text = new Uint8Array(32).fill(tries);
    const { of, key, dividesEight } = cofactoredOnly(text);
    expect(ed25519.verify(of, text, key, { zip215: true })).toBe(true);
    expect(portableVerifyEd25519(of, text, key)).toBe(dividesEight);
    expect(verifiesByOpenSsl(of, text, key)).toBe(dividesEight);
  }
});

test('keys of small order and keys that are not canonical are of no use', () => {
  const identity = Point.ZERO.toBytes();
  const unreduced = littleEndian(2n ** 255n - 18n);
  const offCurve = littleEndian(2n);
  for (const key of [
    identity,
    torsion.toBytes(),
    unreduced,
    offCurve,
    new Uint8Array(31),
    new Uint8Array(0),
  ]) {
    expect(isUsablePublicKey(key)).toBe(false);
    expect(portableVerifyEd25519(signature, message, key)).toBe(false);
  }
  // S = 0 and R = the identity would verify anything by a key of small order.
  const anything = Uint8Array.of(...identity, ...new Uint8Array(32));
  expect(portableVerifyEd25519(anything, message, identity)).toBe(false);
  expect(isUsablePublicKey(publicKey)).toBe(true);
});

test('what is no signature does not verify', () => {
  for (const length of [0, 63, 65]) {
    expect(portableVerifyEd25519(new Uint8Array(length), message, publicKey)).toBe(false);
  }
});

test('the verdict on any signature, sound or damaged, is that of OpenSSL', () => {
  const cases = fc.record({
    seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    text: fc.uint8Array({ maxLength: 100 }),
    flip: fc.option(fc.tuple(fc.constantFrom('signature', 'key', 'text'), fc.nat(511))),
  });
  fc.assert(
    fc.property(cases, ({ seed: secret, text, flip }) => {
      const parts = { text, key: ed25519.getPublicKey(secret), signature: ed25519.sign(text, secret) };
      if (flip !== null) {
        const target = parts[flip[0]];
        const bit = flip[1] % (8 * Math.max(target.length, 1));
        if (target.length > 0) target[bit >> 3]! ^= 1 << (bit & 7);
      }
      const verdict = portableVerifyEd25519(parts.signature, parts.text, parts.key);
      expect(verdict).toBe(verifiesByOpenSsl(parts.signature, parts.text, parts.key));
      if (flip === null) expect(verdict).toBe(true);
    }),
    { numRuns: 60 },
  );
});
