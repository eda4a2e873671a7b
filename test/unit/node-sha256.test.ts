import { portableSha256 } from '../../domain/sha256.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';

/** Repeatable bytes without structure. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >> 16;
  });
}

test.each([
  ['the portable', portableSha256],
  ["the node's", nodeSha256],
])('%s SHA-256 gives the published digest of "abc"', (_name, sha256) => {
  expect(Buffer.from(sha256(new TextEncoder().encode('abc'))).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('both give the same digest for every length from 0 to 300 and for large messages', () => {
  for (let length = 0; length <= 300; length++) {
    const message = noise(length, length);
    expect(nodeSha256(message)).toEqual(portableSha256(message));
  }
  for (const length of [4_095, 65_536, 1_048_577]) {
    const message = noise(length, length);
    expect(nodeSha256(message)).toEqual(portableSha256(message));
  }
});

test('a digest of a view covers the view only', () => {
  const message = noise(200, 1);
  expect(nodeSha256(message.subarray(50, 150))).toEqual(portableSha256(message.slice(50, 150)));
});

test('a digest stays as it was when another one is computed', () => {
  const first = nodeSha256(noise(10, 1));
  const copy = Uint8Array.from(first);
  nodeSha256(noise(10, 2));
  expect(first).toEqual(copy);
});
