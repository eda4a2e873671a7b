import { sameBytes, toHex } from '../bytes.ts';
import { legacyLeafHash } from '../legacy/hashes.ts';
import type { Hash, Sequence } from '../types.ts';
import { checkVesEvent, signatureFault } from '../ves/check-event.ts';
import { eventSigningHash, vesLeafHash } from '../ves/hashes.ts';
import type { Fault } from '../sequencing/rejection.ts';
import type { VesEventInRequest } from '../ves/read-request.ts';
import type { VerifyRule } from './checklist.ts';
import type { FoundEvent } from './read-event.ts';
import type { VerifyContext } from './verify-signature.ts';

/**
 * Checks what an event says about itself: its form, its payload's hash, and in VES its agent's signature. In legacy nothing
 * is signed.
 */
export function verifyEvent(subject: string, found: FoundEvent, context: VerifyContext): void {
  if (found.world === 'ves') {
    verifyVesEvent(subject, found, context);
    return;
  }
  const { statedPayloadHash, event, isErased } = found;
  if (statedPayloadHash === null) return;
  if (isErased) {
    context.checklist.unchecked('payload-hash', subject, erasedDetail, 'out of reach');
    return;
  }
  const holds = sameBytes(statedPayloadHash, event.payloadHash);
  const detail = holds
    ? toHex(statedPayloadHash)
    : `it is ${toHex(statedPayloadHash)}; that of the payload is ${toHex(event.payloadHash)}`;
  context.checklist.note('payload-hash', subject, holds, detail);
}

/** The leaf of an event at a sequence, from the event alone. */
export function leafOf(found: FoundEvent, sequence: Sequence, { cryptography }: VerifyContext): Hash {
  const { sha256 } = cryptography;
  if (found.world === 'ves') {
    return vesLeafHash(found.event, sequence, eventSigningHash(found.event, sha256), sha256);
  }
  const { event } = found;
  return legacyLeafHash(event, sequence, event.payloadHash, event.entityType, event.entityId, sha256);
}

function verifyVesEvent(
  subject: string,
  { event, isErased }: Extract<FoundEvent, { readonly world: 'ves' }>,
  { keys, cryptography, checklist }: VerifyContext,
): void {
  const { sha256, verifyEd25519 } = cryptography;
  const checked = checkVesEvent(event, 'lenient', sha256);
  const hashRule: VerifyRule = event.payloadKind === 0 ? 'payload-hash' : 'cipher-hash';
  const { fault } = checked;
  const isHashFault = fault?.reason === 'payload-hash-differs' || fault?.reason === 'cipher-hash-differs';
  const isMissing = isErased && isAbsence(event, fault);
  const formHolds = fault === null || isHashFault || isMissing;
  checklist.note('form', subject, formHolds, formHolds ? 'version 1 of the event form' : fault.message);
  if (isMissing) checklist.unchecked(hashRule, subject, erasedDetail, 'out of reach');
  else if (formHolds) checklist.note(hashRule, subject, fault === null, fault?.message ?? hashDetail(event));

  const { tenantId, sourceAgent: agentId, agentKeyId: keyId } = event;
  const publicKey = keys.agentKey({ tenantId, agentId, keyId });
  const keyName = `key ${keyId} of the agent ${agentId}`;
  if (publicKey !== null) {
    const signature = signatureFault(checked, publicKey, verifyEd25519);
    checklist.note('agent-signature', subject, signature === null, signature?.message ?? `by ${keyName}`);
  } else if (keys.givenAgents) {
    checklist.failed('agent-signature', subject, `${keyName} is not among those given`);
  } else {
    checklist.unchecked('agent-signature', subject, `${keyName} is not at hand`, 'no key');
  }
}

const erasedDetail =
  'the payload was erased with its tenant; its hash is signed or in the leaf, and can not be checked against it';

/** Whether all that is wrong with the form of an event is that the payload is not there. */
function isAbsence(
  { payloadKind, computedPlainHash, encrypted }: VesEventInRequest,
  fault: Fault | null,
): boolean {
  if (computedPlainHash !== null || encrypted !== null) return false;
  return fault?.detail === (payloadKind === 0 ? 'payload' : 'payload_encrypted');
}

function hashDetail({ payloadKind, payloadPlainHash, payloadCipherHash }: VesEventInRequest): string {
  return toHex(payloadKind === 0 ? payloadPlainHash : payloadCipherHash);
}
