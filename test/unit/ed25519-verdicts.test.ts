import { createPublicKey, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { parseHex } from '../../domain/bytes.ts';
import { isSmallOrder, isUsablePublicKey, portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import {
  openSigningKey,
  preparePublicKey,
  PreparedPublicKeys,
  verifyEd25519,
} from '../../services/node-ed25519.ts';
import { vectors } from '../vectors/ves-v1.ts';

/*
 * What the implementations in use say of odd keys and signatures: the server's, which is OpenSSL's after a look at the key;
 * the portable one, which checks offline; and OpenSSL alone, whose verdict on points of small order has changed between its
 * versions. They agree in every row.
 */

const { Point } = ed25519;
const { ORDER } = Point.Fn;
const seed = parseHex(vectors.keys.ed25519[0]!.seed, 32)!;
const message = new Uint8Array(32).fill(7);
const publicKey = ed25519.getPublicKey(seed);
const signature = ed25519.sign(message, seed);
const { scalar } = ed25519.utils.getExtendedPublicKey(seed);

/** On the curve, of order eight, and so outside the group that keys come from. */
const torsion = Point.fromBytes(
  parseHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 32)!,
);
const identity = Point.ZERO.toBytes();
const fieldPrime = 2n ** 255n - 19n;
const nonce = 1_234_567_891_011n;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function joined(r: Uint8Array, s: bigint): Uint8Array {
  return Uint8Array.of(...r, ...littleEndian(s));
}

/** A signature by the secret scalar with these bytes as R and as the key. */
function signedWith(r: Uint8Array, key: Uint8Array, text: Uint8Array): Uint8Array {
  const k = Point.Fn.create(toNumber(sha512(Uint8Array.of(...r, ...key, ...text))));
  return joined(r, Point.Fn.create(nonce + k * scalar));
}

/** The first of some texts whose challenge leaves this remainder after division by eight. */
function textWithChallenge(
  r: Uint8Array,
  key: Uint8Array,
  isWanted: (remainder: bigint) => boolean,
): Uint8Array {
  for (let fill = 0; ; fill += 1) {
    const text = new Uint8Array(32).fill(fill);
    const k = Point.Fn.create(toNumber(sha512(Uint8Array.of(...r, ...key, ...text))));
    if (isWanted(k % 8n)) return text;
  }
}

interface OddCase {
  readonly name: string;
  readonly key: Uint8Array;
  readonly text?: Uint8Array;
  readonly of: Uint8Array;
  readonly isGood: boolean;
  /** Whether such a key can be registered at all. */
  readonly isUsableKey: boolean;
}

const goodR = Point.BASE.multiply(nonce).toBytes();
const mixedKey = Point.BASE.multiply(scalar).add(torsion).toBytes();
const divisible = textWithChallenge(goodR, mixedKey, (remainder) => remainder === 0n);
const indivisible = textWithChallenge(goodR, mixedKey, (remainder) => remainder !== 0n);
const mixedR = Point.BASE.multiply(nonce).add(torsion).toBytes();
/** y = p + 1 is y = 1 again: the neutral element, written in a second way. */
const unreducedIdentity = littleEndian(fieldPrime + 1n);
/** The neutral element with the sign bit of an x that is zero. */
const negativeZero = Uint8Array.from(identity, (byte, index) => (index === 31 ? byte | 0x80 : byte));

const cases: readonly OddCase[] = [
  { name: 'a good signature', key: publicKey, of: signature, isGood: true, isUsableKey: true },
  {
    name: 'S + L in place of S',
    key: publicKey,
    of: joined(signature.subarray(0, 32), toNumber(signature.subarray(32)) + ORDER),
    isGood: false,
    isUsableKey: true,
  },
  { name: 'S = L', key: publicKey, of: joined(identity, ORDER), isGood: false, isUsableKey: true },
  {
    name: 'S with its highest bits set',
    key: publicKey,
    of: Uint8Array.from(signature, (byte, index) => (index === 63 ? byte | 0xe0 : byte)),
    isGood: false,
    isUsableKey: true,
  },
  {
    name: 'a key of mixed order, where the torsion cancels out',
    key: mixedKey,
    text: divisible,
    of: signedWith(goodR, mixedKey, divisible),
    isGood: true,
    isUsableKey: true,
  },
  {
    name: 'a key of mixed order, good only up to the cofactor',
    key: mixedKey,
    text: indivisible,
    of: signedWith(goodR, mixedKey, indivisible),
    isGood: false,
    isUsableKey: true,
  },
  {
    name: 'an R of mixed order, good only up to the cofactor',
    key: publicKey,
    of: signedWith(mixedR, publicKey, message),
    isGood: false,
    isUsableKey: true,
  },
  {
    name: 'a key of order one, by which S = 0 would sign anything',
    key: identity,
    of: joined(identity, 0n),
    isGood: false,
    isUsableKey: false,
  },
  {
    name: 'a key of order eight, by which S = 0 would sign one text in eight',
    key: torsion.toBytes(),
    text: textWithChallenge(identity, torsion.toBytes(), (remainder) => remainder === 0n),
    of: joined(identity, 0n),
    isGood: false,
    isUsableKey: false,
  },
  {
    name: 'a key that is not reduced',
    key: unreducedIdentity,
    of: joined(identity, 0n),
    isGood: false,
    isUsableKey: false,
  },
  {
    name: 'a key with a sign and no x',
    key: negativeZero,
    of: joined(identity, 0n),
    isGood: false,
    isUsableKey: false,
  },
  { name: 'an R of order one', key: publicKey, of: withR(identity), isGood: false, isUsableKey: true },
  {
    name: 'an R that is not reduced',
    key: publicKey,
    of: withR(unreducedIdentity),
    isGood: false,
    isUsableKey: true,
  },
  { name: 'a key off the curve', key: littleEndian(2n), of: signature, isGood: false, isUsableKey: false },
  { name: 'zeros', key: publicKey, of: new Uint8Array(64), isGood: false, isUsableKey: true },
];

/** S = k·a makes R the neutral element, in whichever way it is written. */
function withR(r: Uint8Array): Uint8Array {
  const k = Point.Fn.create(toNumber(sha512(Uint8Array.of(...r, ...publicKey, ...message))));
  return joined(r, Point.Fn.create(k * scalar));
}

function openSslAlone({ key, text = message, of }: OddCase): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  return verify(null, text, createPublicKey({ key: spki, format: 'der', type: 'spki' }), of);
}

test.each(cases.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
  const { key, text = message, of, isGood, isUsableKey } = row;
  expect({
    openSsl: openSslAlone(row),
    server: await verifyEd25519(of, text, preparePublicKey(key)),
    offline: portableVerifyEd25519(of, text, key),
  }).toEqual({ openSsl: isGood, server: isGood, offline: isGood });
  expect(isUsablePublicKey(key)).toBe(isUsableKey);
});

test('exactly the eight points of small order are found to be that', () => {
  const points = Array.from({ length: 9 }, (_, factor) =>
    Array.from({ length: factor })
      .reduce((sum: typeof torsion) => sum.add(torsion), Point.ZERO)
      .toBytes(),
  );
  expect(points[8]).toEqual(identity);
  for (const point of points) expect(isSmallOrder(point)).toBe(true);
  for (const point of [publicKey, goodR, mixedKey, mixedR]) expect(isSmallOrder(point)).toBe(false);
});

test('a prepared key is prepared once, and as long as there is room', () => {
  const keys = new PreparedPublicKeys(1);
  const first = keys.prepare(publicKey);
  expect(keys.prepare(Uint8Array.from(publicKey))).toBe(first);
  expect(keys.prepare(identity)).toBeNull();
  expect(keys.prepare(publicKey)).not.toBe(first);
});

test.each(vectors.keys.ed25519)(
  'the key pair of the published seed $name signs as anyone would',
  async (key) => {
    const pair = openSigningKey(parseHex(key.seed, 32)!);
    expect(pair.publicKey).toEqual(parseHex(key.public_key, 32));
    const made = await pair.sign(message);
    expect(Uint8Array.from(made)).toEqual(ed25519.sign(message, parseHex(key.seed, 32)!));
    expect(await verifyEd25519(made, message, preparePublicKey(pair.publicKey))).toBe(true);
  },
);
