import { LRUCache } from 'lru-cache';
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { ReceiptSigner } from '../../actors/receipt-signer.ts';
import { sameBytes, toHex } from '../../domain/bytes.ts';
import type { Hash, StoreKey, Uuid } from '../../domain/types.ts';
import { signatureDiffers } from '../../domain/ves/check-event.ts';
import {
  eventSigningHash,
  payloadPlainHash,
  receiptHash,
  type SignedFields,
} from '../../domain/ves/hashes.ts';
import type { VesReceipt } from '../../domain/ves/receipt.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { SignatureChecks } from '../../services/ves/signature-checks.ts';

/**
 * Real Ed25519, but in step with the rest of a simulation: what runs on threads ends in an order that no seed can
 * repeat. One key signs for all agents, another for all nodes.
 */
const agentKey = keyOf(1);
const sequencerKey = keyOf(2);

export const receiptSigner: ReceiptSigner = {
  sign: (hashes) =>
    Promise.resolve(hashes.map((hash) => ({ signature: signed(sequencerKey, hash), keyVersion: 1 }))),
};

export const checkSignatures: SignatureChecks['check'] = (_tenantId, events) =>
  Promise.resolve(
    events.map((event) =>
      isSigned(agentKey, event.signingHash, event.agentSignature)
        ? event
        : { ...event, fault: signatureDiffers },
    ),
  );

export interface SignedEventFields extends StoreKey {
  readonly eventId: Uuid;
  readonly sourceAgent: Uuid;
  readonly entityId: string;
  /** Canonical JSON. */
  readonly payloadText: string;
  /** Fields that no signature covers, as on the wire. */
  readonly optional: Readonly<Record<string, unknown>>;
}

/** A signed event in the form that requests have it in, and the hash that its agent signed. */
export function signedWireEvent({ payloadText, optional, ...given }: SignedEventFields): {
  readonly wire: Record<string, unknown>;
  readonly signingHash: Hash;
} {
  const fields: SignedFields = {
    ...given,
    vesVersion: 1,
    agentKeyId: 1,
    entityType: 'order',
    eventType: 'order.created',
    createdAtText: '2025-12-20T18:31:22.123Z',
    payloadKind: 0,
    payloadPlainHash: payloadPlainHash(Buffer.from(payloadText), null, nodeSha256),
    payloadCipherHash: new Uint8Array(32) as Uint8Array as Hash,
  };
  const signingHash = eventSigningHash(fields, nodeSha256);
  const wire = {
    ...optional,
    ves_version: 1,
    event_id: fields.eventId,
    tenant_id: fields.tenantId,
    store_id: fields.storeId,
    source_agent_id: fields.sourceAgent,
    agent_key_id: 1,
    entity_type: fields.entityType,
    entity_id: fields.entityId,
    event_type: fields.eventType,
    created_at: fields.createdAtText,
    payload_kind: 0,
    payload: JSON.parse(payloadText) as unknown,
    payload_plain_hash: `0x${toHex(fields.payloadPlainHash)}`,
    payload_cipher_hash: `0x${toHex(fields.payloadCipherHash)}`,
    agent_signature: `0x${toHex(signed(agentKey, signingHash))}`,
  };
  return { wire, signingHash };
}

/** A receipt as one text, for the history. */
export function receiptText({ sequence, sequencedAt, receiptHash: hash, signature }: VesReceipt): string {
  const signed = signature === null ? '' : Buffer.from(signature.signature).toString('base64');
  return [sequence, sequencedAt, toHex(hash), signed].join(' ');
}

/** Whether the receipt is the sequencer's word on this event at this sequence. */
export function receiptHolds(
  text: string,
  event: StoreKey & { readonly eventId: Uuid; readonly signingHash: Hash; readonly sequence: number },
): boolean {
  const [sequence, , hashText, signature] = text.split(' ');
  const hash = receiptHash(event, event.sequence as never, event.signingHash, nodeSha256);
  return (
    Number(sequence) === event.sequence &&
    hashText === toHex(hash) &&
    isSigned(sequencerKey, hash, Buffer.from(signature!, 'base64'))
  );
}

interface KeyPair {
  readonly secret: KeyObject;
  readonly open: KeyObject;
  readonly signatures: LRUCache<string, Uint8Array>;
}

/** Remembered, as seeds make up the same events again and again, and signing would be half of a run. */
function signed({ secret, signatures }: KeyPair, hash: Hash): Uint8Array {
  const text = toHex(hash);
  const signature = signatures.get(text) ?? new Uint8Array(sign(null, hash, secret));
  signatures.set(text, signature);
  return signature;
}

/** Equal to what this key has signed before, or else checked. */
function isSigned({ open, signatures }: KeyPair, hash: Hash, signature: Uint8Array): boolean {
  const known = signatures.get(toHex(hash));
  return known === undefined ? verify(null, hash, open, signature) : sameBytes(known, signature);
}

function keyOf(number: number): KeyPair {
  const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const der = Buffer.concat([pkcs8Prefix, Buffer.alloc(32, number)]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { secret, open: createPublicKey(secret), signatures: new LRUCache({ max: 10_000 }) };
}
