import { canonicalText } from '../json/canonical.ts';
import { Preimage } from '../preimage.ts';
import type { Sha256 } from '../sha256.ts';
import type { EventId, Hash, Sequence, StoreKey } from '../types.ts';
import type { CipherParts, Recipient } from './encrypted-payload.ts';
import type { VesEvent } from './event.ts';

/**
 * The hashes of a signed event (ves-format 4 to 7). Each begins with a domain of its own, so that none can stand in for
 * another.
 */

/** What an agent's signature covers, itself or by hash. */
export type SignedFields = StoreKey &
  Pick<
    VesEvent,
    | 'vesVersion'
    | 'eventId'
    | 'sourceAgent'
    | 'agentKeyId'
    | 'entityType'
    | 'entityId'
    | 'eventType'
    | 'createdAtText'
    | 'payloadKind'
    | 'payloadPlainHash'
    | 'payloadCipherHash'
  >;

/**
 * H("VES_PAYLOAD_PLAIN_V1" ‖ [salt] ‖ canonical text of the payload).
 * @param canonical the RFC 8785 text
 * @param salt 16 bytes that hide the payload of an encrypted event; null for a plain one
 */
export function payloadPlainHash(canonical: Uint8Array, salt: Uint8Array | null, sha256: Sha256): Hash {
  const preimage = new Preimage('VES_PAYLOAD_PLAIN_V1');
  if (salt !== null) preimage.bytes(salt);
  return preimage.bytes(canonical).hash(sha256);
}

/** What payload encryption authenticates beside the ciphertext: the event, with neither its version nor its payload's kind. */
export function payloadAad(event: SignedFields, sha256: Sha256): Hash {
  return identified(new Preimage('VES_PAYLOAD_AAD_V1'), event).bytes(event.payloadPlainHash).hash(sha256);
}

/** H("VES_RECIPIENTS_V1" ‖ for each: u32(key id) ‖ length and bytes of enc ‖ length and bytes of ct). */
export function recipientsHash(recipients: readonly Recipient[], sha256: Sha256): Hash {
  const preimage = new Preimage('VES_RECIPIENTS_V1');
  for (const { kid, enc, ct } of recipients) {
    preimage.u32(kid).u32(enc.length).bytes(enc).u32(ct.length).bytes(ct);
  }
  return preimage.hash(sha256);
}

/** The hash of an encrypted payload as it travels. The 1 in it is constant, whatever `enc_version` says. */
export function payloadCipherHash(event: SignedFields, parts: CipherParts, sha256: Sha256): Hash {
  return new Preimage('VES_PAYLOAD_CIPHER_V1')
    .u32(1)
    .bytes(parts.nonce)
    .bytes(payloadAad(event, sha256))
    .u32(parts.ciphertext.length)
    .bytes(parts.ciphertext)
    .bytes(parts.tag)
    .bytes(recipientsHash(parts.recipients, sha256))
    .hash(sha256);
}

/** What the agent signs. */
export function eventSigningHash(event: SignedFields, sha256: Sha256): Hash {
  return eventSigningPreimage(event).hash(sha256);
}

/** The bytes under `eventSigningHash`, for those who want to see them. */
export function eventSigningPreimage(event: SignedFields): Preimage {
  return identified(new Preimage('VES_EVENTSIG_V1').u32(event.vesVersion), event)
    .u32(event.payloadKind)
    .bytes(event.payloadPlainHash)
    .bytes(event.payloadCipherHash);
}

/** What the sequencer signs: that this event has this sequence. */
export function receiptHash(
  event: StoreKey & { readonly eventId: EventId },
  sequence: Sequence,
  signingHash: Hash,
  sha256: Sha256,
): Hash {
  return new Preimage('VES_RECEIPT_V1')
    .uuid(event.tenantId)
    .uuid(event.storeId)
    .uuid(event.eventId)
    .u64(sequence)
    .bytes(signingHash)
    .hash(sha256);
}

/** The leaf of an event in the tree of a commitment. */
export function vesLeafHash(
  event: StoreKey & { readonly agentSignature: Uint8Array },
  sequence: Sequence,
  signingHash: Hash,
  sha256: Sha256,
): Hash {
  return new Preimage('VES_LEAF_V1')
    .uuid(event.tenantId)
    .uuid(event.storeId)
    .u64(sequence)
    .bytes(signingHash)
    .bytes(event.agentSignature)
    .hash(sha256);
}

/** H("VES_POP_V1" ‖ public key): what an agent signs to show that it holds the key that it registers. */
export function possessionChallenge(publicKey: Uint8Array, sha256: Sha256): Hash {
  return new Preimage('VES_POP_V1').bytes(publicKey).hash(sha256);
}

export function validityProofHash(proof: Uint8Array, sha256: Sha256): Hash {
  return new Preimage('STATESET_VES_VALIDITY_PROOF_HASH_V1').bytes(proof).hash(sha256);
}

export function complianceProofHash(proof: Uint8Array, sha256: Sha256): Hash {
  return new Preimage('STATESET_VES_COMPLIANCE_PROOF_HASH_V1').bytes(proof).hash(sha256);
}

/**
 * The hash of a compliance policy and its parameters.
 * @param policyParams JSON text
 * @throws Refused with `UNREADABLE_JSON`
 */
export function compliancePolicyHash(policyId: string, policyParams: Uint8Array, sha256: Sha256): Hash {
  const policy = new Preimage(`{"policyId":${JSON.stringify(policyId)},"policyParams":`)
    .bytes(policyParams)
    .rawText('}');
  return new Preimage('STATESET_VES_COMPLIANCE_POLICY_HASH_V1')
    .bytes(canonicalText(policy.view(), 'jcs'))
    .hash(sha256);
}

/** The part that the signing hash and the AAD have in common. */
function identified(preimage: Preimage, event: SignedFields): Preimage {
  return preimage
    .uuid(event.tenantId)
    .uuid(event.storeId)
    .uuid(event.eventId)
    .uuid(event.sourceAgent)
    .u32(event.agentKeyId)
    .text(event.entityType)
    .text(event.entityId)
    .text(event.eventType)
    .text(event.createdAtText);
}
