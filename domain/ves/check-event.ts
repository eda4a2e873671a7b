import type { Strictness } from '../base64url.ts';
import { sameBytes } from '../bytes.ts';
import { nameFault, nameLimits } from '../check-request.ts';
import type { Fault } from '../sequencing/rejection.ts';
import type { Sha256 } from '../sha256.ts';
import { parseTimestamp } from '../time.ts';
import type { Micros, StoreKey } from '../types.ts';
import { decodeEncryptedPayload } from './encrypted-payload.ts';
import type { CheckedVesEvent } from './event.ts';
import { eventSigningHash, payloadCipherHash } from './hashes.ts';
import type { VesEventInRequest } from './read-request.ts';
import type { VerifyEd25519 } from './signature.ts';

/**
 * Runs the checks of one event that need neither the log nor a key, in their published order (ves-format 9.2, steps 3
 * and 4), and computes what its agent must have signed.
 * @returns the event with the first fault; the signature is still to be checked when there is none
 */
export function checkVesEvent(
  event: VesEventInRequest,
  strictness: Strictness,
  sha256: Sha256,
): CheckedVesEvent & StoreKey {
  return {
    ...event,
    createdAt: parseTimestamp(event.createdAtText) ?? (0n as Micros),
    signingHash: eventSigningHash(event, sha256),
    fault: faultOf(event, strictness, sha256),
  };
}

/**
 * Checks the signature of an event by the key that it names. The key's validity is another matter.
 * @returns null when it is good
 */
export function signatureFault(
  event: Pick<CheckedVesEvent, 'signingHash' | 'agentSignature' | 'signatureScheme'>,
  publicKey: Uint8Array,
  verify: VerifyEd25519,
): Fault | null {
  const fault = schemeFault(event);
  if (fault !== null) return fault;
  return verify(event.agentSignature, event.signingHash, publicKey) ? null : signatureDiffers;
}

/** What is wrong with the kind of signature that the event says it has, before anyone looks at the signature. */
export function schemeFault({ signatureScheme }: Pick<CheckedVesEvent, 'signatureScheme'>): Fault | null {
  if (signatureScheme !== 2 && signatureScheme !== 3) return null;
  return {
    reason: 'signature-differs',
    message: `agent_signature_scheme ${signatureScheme} is not accepted here; accepted is Ed25519, which is 1`,
  };
}

export const signatureDiffers: Fault = {
  reason: 'signature-differs',
  message: 'agent_signature is not that of the event by the key that agent_key_id names',
};

function faultOf(event: VesEventInRequest, strictness: Strictness, sha256: Sha256): Fault | null {
  if (event.vesVersion !== 1) {
    return { reason: 'unsupported-version', message: `ves_version is ${event.vesVersion}; accepted is 1` };
  }
  for (const field of ['entityType', 'entityId', 'eventType'] as const) {
    const { wireName, bytesMax } = nameLimits[field];
    const fault = nameFault(event[field], bytesMax);
    if (fault !== null) return wrongField(wireName, `${wireName} ${fault}`);
  }
  const misplaced = misplacedField(event);
  if (misplaced !== null) {
    return wrongField(misplaced, `${misplaced} does not go with payload_kind ${event.payloadKind}`);
  }
  const parts = event.encrypted && decodeEncryptedPayload(event.encrypted, strictness);
  if (typeof parts === 'string') return wrongField(parts, `${parts} is not what the format prescribes`);
  if (parseTimestamp(event.createdAtText) === null) {
    return wrongField('created_at', 'created_at is no RFC 3339 timestamp');
  }
  if (parts !== null) {
    return sameBytes(payloadCipherHash(event, parts, sha256), event.payloadCipherHash)
      ? null
      : {
          reason: 'cipher-hash-differs',
          message: 'payload_cipher_hash is not the hash of payload_encrypted and of the event around it',
        };
  }
  return event.computedPlainHash !== null && sameBytes(event.computedPlainHash, event.payloadPlainHash)
    ? null
    : { reason: 'payload-hash-differs', message: 'payload_plain_hash is not the hash of the payload' };
}

/** The field that the payload's kind calls for and that is absent, or does not allow and that is there. */
function misplacedField({
  payloadKind,
  computedPlainHash,
  encrypted,
  payloadCipherHash,
}: VesEventInRequest): string | null {
  const hasPayload = computedPlainHash !== null;
  const hasEncrypted = encrypted !== null;
  if (hasPayload === (payloadKind === 1)) return 'payload';
  if (hasEncrypted === (payloadKind === 0)) return 'payload_encrypted';
  return payloadKind === 1 || payloadCipherHash.every((byte) => byte === 0) ? null : 'payload_cipher_hash';
}

function wrongField(field: string, message: string): Fault {
  return { reason: 'wrong-field', message, detail: field };
}
