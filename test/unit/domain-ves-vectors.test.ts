import { parseHex, toHex, utf8Bytes } from '../../domain/bytes.ts';
import { canonicalText } from '../../domain/json/canonical.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { Sequence } from '../../domain/types.ts';
import { checkVesEvent, signatureFault } from '../../domain/ves/check-event.ts';
import { decodeEncryptedPayload } from '../../domain/ves/encrypted-payload.ts';
import type { CipherParts } from '../../domain/ves/encrypted-payload.ts';
import {
  compliancePolicyHash,
  complianceProofHash,
  eventSigningPreimage,
  payloadAad,
  payloadCipherHash,
  payloadPlainHash,
  possessionChallenge,
  receiptHash,
  recipientsHash,
  validityProofHash,
  vesLeafHash,
} from '../../domain/ves/hashes.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import type { VesEventInRequest } from '../../domain/ves/read-request.ts';
import { portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import { vectors } from '../vectors/ves-v1.ts';
import type { VesEventVector } from '../vectors/ves-v1.ts';

/** The event as it comes in over HTTP; a plain payload goes in as the raw text that the vector gives. */
function readEvent(vector: Pick<VesEventVector, 'event'> & Partial<VesEventVector>): VesEventInRequest {
  const { event, payload_json = '{}' } = vector;
  const plain = event.payload_kind === 0 ? `,"payload":${payload_json}` : '';
  const envelope = JSON.stringify(event).slice(0, -1);
  const body = `{"agentId":"${event.source_agent_id}","events":[${envelope}${plain}}]}`;
  return readVesRequest(utf8Bytes(body), 'lenient', portableSha256).events[0]!;
}

function publicKeyOf(name: string): Uint8Array {
  return parseHex(vectors.keys.ed25519.find((key) => key.name === name)!.public_key, 32)!;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

const sequencerKey = parseHex(vectors.keys.sequencer.public_key, 32)!;

function expectAllOf(vector: VesEventVector, publicKey: Uint8Array): void {
  const event = checkVesEvent(readEvent(vector), 'strict', portableSha256);
  const sequence = vector.sequence_number as Sequence;
  expect(event.fault).toBeNull();
  expect(toHex(event.signingHash)).toBe(vector.event_signing_hash);
  expect(signatureFault(event, publicKey, portableVerifyEd25519)).toBeNull();
  expect(toHex(vesLeafHash(event, sequence, event.signingHash, portableSha256))).toBe(vector.leaf_hash);
  const receipt = receiptHash(event, sequence, event.signingHash, portableSha256);
  expect(toHex(receipt)).toBe(vector.receipt.receipt_hash);
  const { sequencer_signature } = vector.receipt;
  expect(portableVerifyEd25519(bytesOf(sequencer_signature), receipt, sequencerKey)).toBe(true);
}

describe.each(vectors.ves_events)('the event $name', (vector) => {
  test('has the published hashes, leaf and receipt, and signatures that verify', () => {
    expectAllOf(vector, publicKeyOf(vector.event.agent_key_id === 1 ? 'agent_a' : 'agent_b'));
    if (vector.eventsig_preimage !== undefined) {
      expect(toHex(eventSigningPreimage(readEvent(vector)).view())).toBe(vector.eventsig_preimage);
    }
  });

  test('has the published hashes of its encryption, if it is encrypted', () => {
    const event = readEvent(vector);
    const { encryption } = vector;
    expect(event.encrypted !== null).toBe(encryption !== undefined);
    if (encryption === undefined) return;
    const parts = decodeEncryptedPayload(event.encrypted!, 'strict') as CipherParts;
    expect(toHex(recipientsHash(parts.recipients, portableSha256))).toBe(encryption.recipients_hash);
    expect(toHex(payloadAad(event, portableSha256))).toBe(encryption.payload_aad);
    expect(`0x${toHex(payloadCipherHash(event, parts, portableSha256))}`).toBe(
      vector.event.payload_cipher_hash,
    );
    const payload = canonicalText(utf8Bytes(vector.payload_json), 'jcs');
    const plainHash = payloadPlainHash(payload, bytesOf(encryption.salt), portableSha256);
    expect(`0x${toHex(plainHash)}`).toBe(vector.event.payload_plain_hash);
  });
});

test.each(vectors.ves_stream.events)('event $sequence_number of the published stream', (vector) => {
  expectAllOf(vector, publicKeyOf(vector.signed_by!));
});

test.each(vectors.ves_negative)('the signature of $name does not verify', (vector) => {
  const event = checkVesEvent(readEvent(vector), 'strict', portableSha256);
  const publicKey = parseHex(vector.public_key, 32)!;
  expect(portableVerifyEd25519(event.agentSignature, event.signingHash, publicKey)).toBe(
    vector.signature_valid,
  );
  expect(signatureFault(event, publicKey, portableVerifyEd25519)).toMatchObject({
    reason: 'signature-differs',
  });
});

test.each(vectors.json)('the plain payload hash of $name', ({ input, payload_plain_hash }) => {
  const payload = canonicalText(utf8Bytes(input), 'jcs');
  expect(toHex(payloadPlainHash(payload, null, portableSha256))).toBe(payload_plain_hash);
});

test.each(vectors.salted)(
  'the salted payload hash with salt $salt',
  ({ input, salt, payload_plain_hash }) => {
    const payload = canonicalText(utf8Bytes(input), 'jcs');
    expect(toHex(payloadPlainHash(payload, bytesOf(salt), portableSha256))).toBe(payload_plain_hash);
  },
);

test.each(vectors.misc.pop_challenge)(
  'the challenge for the key $public_key',
  ({ public_key, challenge }) => {
    expect(toHex(possessionChallenge(bytesOf(public_key), portableSha256))).toBe(challenge);
  },
);

test.each(vectors.misc.policy_hash)('the hash of the policy $policy_id', (vector) => {
  const hash = compliancePolicyHash(vector.policy_id, utf8Bytes(vector.policy_params_json), portableSha256);
  expect(toHex(hash)).toBe(vector.policy_hash);
});

test('the hashes of proofs', () => {
  const { proof, validity_proof_hash, compliance_proof_hash } = vectors.misc.proof_hash;
  expect(toHex(validityProofHash(bytesOf(proof), portableSha256))).toBe(validity_proof_hash);
  expect(toHex(complianceProofHash(bytesOf(proof), portableSha256))).toBe(compliance_proof_hash);
});

test('a client of the reference system, as an anchor from outside', () => {
  const event = readEvent({
    event: {
      ves_version: 1,
      tenant_id: '64527dd3-a654-4410-9327-e58a1492ce77',
      store_id: '91def158-819a-4461-b5c9-7759750ad157',
      event_id: '861910c9-7a1d-4b6f-83d6-51bbf4ae2849',
      source_agent_id: '80441726-74e2-430a-95ae-97ce21c6351b',
      agent_key_id: 1,
      entity_type: 'order',
      entity_id: 'ORD-001',
      event_type: 'order.created',
      created_at: '2025-12-20T17:51:10.243Z',
      payload_kind: 0,
      payload_plain_hash: '7777c3fef466a0e9df7e07ea4ff13dc8ffbb9e487098f1b65530cdce7b6bbbe7',
      payload_cipher_hash: '00'.repeat(32),
      agent_signature: '00'.repeat(64),
    } as VesEventVector['event'],
  });
  const { signingHash } = checkVesEvent(event, 'lenient', portableSha256);
  expect(toHex(signingHash)).toBe('e970dfc9ffc285c2c0ba59be5d9c653eee2d1ae4db9b7a02ea3cd62b8e7cf92b');
  expect(toHex(receiptHash(event, 9 as Sequence, signingHash, portableSha256))).toBe(
    '719e09251036671399b890c14206cdf1f1647ce9dc05dabe75a59eaa29e4d9c9',
  );
});
