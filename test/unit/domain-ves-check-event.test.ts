import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import type { Fault } from '../../domain/sequencing/rejection.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import { checkVesEvent, signatureFault } from '../../domain/ves/check-event.ts';
import type { CheckedVesEvent } from '../../domain/ves/event.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import { vectors } from '../vectors/ves-v1.ts';

const plainVector = vectors.ves_events.find(({ name }) => name === 'plain_minimal')!;
const sealedVector = vectors.ves_events.find(({ name }) => name === 'encrypted_four_recipients')!;
const plain = { ...plainVector.event, payload: { delta: 100 } } as any;
const sealed = sealedVector.event as any;

function check(event: object, strictness: 'lenient' | 'strict' = 'lenient'): CheckedVesEvent {
  const body = utf8Bytes(JSON.stringify({ agentId: plain.source_agent_id, events: [event] }));
  return checkVesEvent(
    readVesRequest(body, 'lenient', portableSha256).events[0]!,
    strictness,
    portableSha256,
  );
}

function faultOf(event: object, strictness?: 'lenient' | 'strict'): string | null {
  const { fault } = check(event, strictness);
  return fault && [fault.reason, fault.detail].filter(Boolean).join(': ');
}

/** A copy of the encrypted event with fields of its payload changed. */
function withSealed(changes: object): object {
  return { ...sealed, payload_encrypted: { ...sealed.payload_encrypted, ...changes } };
}

function withRecipients(change: (recipients: any[]) => unknown): object {
  const recipients = structuredClone(sealed.payload_encrypted.recipients);
  return withSealed({ recipients: change(recipients) ?? recipients });
}

test('events as their agents signed them have no fault', () => {
  expect(faultOf(plain)).toBeNull();
  expect(faultOf(sealed)).toBeNull();
  expect(faultOf(sealed, 'strict')).toBeNull();
});

test('an event comes out with its instant and with what was signed', () => {
  const event = check(plain);
  expect(event.createdAt).toBe(1_766_255_482_123_000n);
  expect(toHex(event.signingHash)).toBe(plainVector.event_signing_hash);
});

test.each([
  [{ ves_version: 2 }, 'unsupported-version'],
  [{ entity_type: '' }, 'wrong-field: entity_type'],
  [{ entity_id: 'x'.repeat(513) }, 'wrong-field: entity_id'],
  [{ event_type: 'a\0' }, 'wrong-field: event_type'],
  [{ payload: undefined }, 'wrong-field: payload'],
  [{ payload: null }, 'wrong-field: payload'],
  [{ payload_encrypted: sealed.payload_encrypted }, 'wrong-field: payload_encrypted'],
  [{ payload_cipher_hash: '01'.padEnd(64, '0') }, 'wrong-field: payload_cipher_hash'],
  [{ payload_kind: 1 }, 'wrong-field: payload'],
  [{ payload_kind: 1, payload: null }, 'wrong-field: payload_encrypted'],
  [{ created_at: '2025-12-20' }, 'wrong-field: created_at'],
  [{ payload: { delta: 101 } }, 'payload-hash-differs'],
  [{ payload_plain_hash: '00'.repeat(32) }, 'payload-hash-differs'],
])('a plain event with %j: %s', (changes, fault) => {
  expect(faultOf({ ...plain, ...changes })).toBe(fault);
});

test.each([
  ['enc_version', { enc_version: 0 }],
  ['enc_version', { enc_version: 4, aead: 'x' }],
  ['aead', { aead: 'AES-128-GCM', hpke: { ...sealed.payload_encrypted.hpke, mode: 'x' } }],
  ['hpke.mode', { hpke: { mode: 'auth', kem: 'x', kdf: 'x', aead: 'x' } }],
  ['hpke.kem', { hpke: { mode: 'hybrid-base', kem: 'x', kdf: 'x', aead: 'x' } }],
  ['hpke.kdf', { hpke: { mode: 'pqc-base', kem: 'mlkem768', kdf: 'x', aead: 'x' } }],
  ['hpke.aead', { hpke: { ...sealed.payload_encrypted.hpke, aead: 'x' }, nonce_b64u: '' }],
  ['nonce_b64u', { nonce_b64u: 'AAAA', ciphertext_b64u: '' }],
  ['nonce_b64u', { nonce_b64u: 'not base64 at all' }],
  ['ciphertext_b64u', { ciphertext_b64u: '', tag_b64u: '' }],
  ['ciphertext_b64u', { ciphertext_b64u: 'A' }],
  ['tag_b64u', { tag_b64u: 'AAAA', recipients: [] }],
  ['recipients', { recipients: [] }],
])('an encrypted payload whose %s is wrong is told by that field', (field, changes) => {
  expect(faultOf(withSealed(changes))).toBe(`wrong-field: payload_encrypted.${field}`);
});

test('recipients must have ascending key ids, and keys of the right length', () => {
  const prefix = 'wrong-field: payload_encrypted.recipients';
  expect(faultOf(withRecipients((recipients) => recipients.reverse()))).toBe(`${prefix}[1].recipient_kid`);
  expect(faultOf(withRecipients((recipients) => [recipients[0], recipients[0]]))).toBe(
    `${prefix}[1].recipient_kid`,
  );
  expect(
    faultOf(
      withRecipients(([first, second]) => {
        first.enc_b64u = 'AAAA';
        second.recipient_kid = first.recipient_kid;
      }),
    ),
  ).toBe(`${prefix}[1].recipient_kid`);
  expect(faultOf(withRecipients((recipients) => void (recipients[3].enc_b64u = 'AAAA')))).toBe(
    `${prefix}[3].enc_b64u`,
  );
  expect(faultOf(withRecipients((recipients) => void (recipients[2].ct_b64u = 'AAAA')))).toBe(
    `${prefix}[2].ct_b64u`,
  );
});

test('what the cipher hash covers can not be changed', () => {
  const changed = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
  const { ciphertext_b64u, nonce_b64u, tag_b64u } = sealed.payload_encrypted;
  for (const event of [
    withSealed({ ciphertext_b64u: changed(ciphertext_b64u) }),
    withSealed({ nonce_b64u: changed(nonce_b64u) }),
    withSealed({ tag_b64u: changed(tag_b64u) }),
    withRecipients((recipients) => recipients.slice(0, 3)),
    { ...sealed, entity_id: 'another' },
    { ...sealed, payload_cipher_hash: '00'.repeat(32) },
  ]) {
    expect(faultOf(event)).toBe('cipher-hash-differs');
  }
});

test('a version of the encryption and names of its parts do not enter the cipher hash', () => {
  expect(faultOf(withSealed({ enc_version: 3 }))).toBeNull();
  expect(faultOf(withSealed({ hpke: { ...sealed.payload_encrypted.hpke, mode: 'hybrid-base' } }))).toBeNull();
});

test('padded base64url is taken unless the format is strict', () => {
  const { tag_b64u } = sealed.payload_encrypted;
  const padded = withSealed({ tag_b64u: `${tag_b64u}==` });
  expect(faultOf(padded)).toBeNull();
  expect(faultOf(padded, 'strict')).toBe('wrong-field: payload_encrypted.tag_b64u');
});

test('a created_at that is the fault still leaves an event that can be told', () => {
  expect(check({ ...plain, created_at: 'yesterday' })).toMatchObject({
    createdAt: 0n,
    createdAtText: 'yesterday',
  });
});

describe('signatureFault', () => {
  const asked: Uint8Array[][] = [];
  const faultBy = (scheme: number | null, verdict: boolean): Fault | null =>
    signatureFault({ ...check(plain), signatureScheme: scheme }, new Uint8Array(32).fill(5), (...given) => {
      asked.push(given);
      return verdict;
    });

  test('asks for the signature over the signing hash by the key', () => {
    expect(faultBy(null, true)).toBeNull();
    const { agentSignature, signingHash } = check(plain);
    expect(asked.at(-1)).toEqual([agentSignature, signingHash, new Uint8Array(32).fill(5)]);
    expect(faultBy(null, false)).toMatchObject({ reason: 'signature-differs' });
  });

  test('takes every scheme but the post-quantum ones for Ed25519', () => {
    for (const scheme of [null, 0, 1, 4, -7]) expect(faultBy(scheme, true)).toBeNull();
    for (const scheme of [2, 3]) {
      expect(faultBy(scheme, true)).toMatchObject({
        reason: 'signature-differs',
        message: `agent_signature_scheme ${scheme} is not accepted here; accepted is Ed25519, which is 1`,
      });
    }
  });
});
