import type { Hash } from '../../domain/types.ts';
import { portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import { SequencerSigner } from '../../services/receipts/sequencer-signer.ts';
import { readSigningKey } from '../../services/receipts/signing-key.ts';
import { uuid } from '../support/events.ts';
import { ManualClock } from '../support/manual-clock.ts';

const seed = new Uint8Array(32).fill(0xfb);
const hash = (fill: number): Hash => new Uint8Array(32).fill(fill) as Uint8Array as Hash;

async function openSigner(recordUse: (publicKey: Uint8Array, nodeId: string) => Promise<number>) {
  const clock = new ManualClock();
  const uses: { publicKey: Uint8Array; nodeId: string }[] = [];
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const keys = {
    recordUse: (publicKey: Uint8Array, nodeId: string) => {
      uses.push({ publicKey, nodeId });
      return recordUse(publicKey, nodeId);
    },
  };
  const signer = await SequencerSigner.open({ sequencerId: uuid(1), nodeId: 'a', seed, keys, clock, log });
  return { clock, uses, signer };
}

function ignore(): void {
  // These tests look at signatures, not at the log.
}

test('receipts are signed in their order, each with the version of the key', async () => {
  const { signer, uses } = await openSigner(() => Promise.resolve(7));
  const hashes = Array.from({ length: 50 }, (_, index) => hash(index));
  const signatures = await signer.forReceipts().sign(hashes);
  signatures.forEach(({ signature, keyVersion }, index) => {
    expect(keyVersion).toBe(7);
    expect(portableVerifyEd25519(signature, hashes[index]!, uses[0]!.publicKey)).toBe(true);
  });
});

test('a key that can not be recorded signs nothing', async () => {
  await expect(openSigner(() => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
});

test('the use of the key is recorded again once a minute, and signing does not wait for it', async () => {
  let isUp = true;
  const { clock, uses, signer } = await openSigner(() =>
    isUp ? Promise.resolve(1) : Promise.reject(new Error('no database')),
  );
  await signer.sign(hash(1));
  clock.advance(59_000);
  await signer.sign(hash(1));
  expect(uses).toHaveLength(1);
  isUp = false;
  clock.advance(1_000);
  expect((await signer.sign(hash(1))).keyVersion).toBe(1);
  await signer.sign(hash(1));
  expect(uses).toHaveLength(2);
  clock.advance(60_000);
  await signer.sign(hash(1));
  expect(uses).toHaveLength(3);
});

test.each([
  ['hex', Buffer.from(seed).toString('hex')],
  ['hex with 0x and capitals', `0x${Buffer.from(seed).toString('hex').toUpperCase()}`],
  ['base64', Buffer.from(seed).toString('base64')],
  ['base64 without padding', Buffer.from(seed).toString('base64').replace('=', '')],
  ['base64url', Buffer.from(seed).toString('base64url')],
])('a key is read from %s', (_form, text) => {
  expect(readSigningKey(text)).toEqual(seed);
});

test.each(['', 'ab', 'zz'.repeat(32), 'ab'.repeat(31), `${'A'.repeat(42)}B=`, 'A'.repeat(44)])(
  'there is no key in "%s"',
  (text) => {
    expect(readSigningKey(text)).toBeNull();
  },
);
