import { ed25519 } from '@noble/curves/ed25519.js';
import { randomBytes, randomUUID } from 'node:crypto';
import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import { canonicalText } from '../../domain/json/canonical.ts';
import type { Hash, Uuid } from '../../domain/types.ts';
import {
  eventSigningHash,
  payloadCipherHash,
  payloadPlainHash,
  type SignedFields,
} from '../../domain/ves/hashes.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';

/** An agent that signs for one store. */
export interface Agent {
  readonly tenantId: Uuid;
  readonly storeId: Uuid;
  readonly agentId: Uuid;
  readonly keyId: number;
  readonly seed: Uint8Array;
}

/** As on the wire. */
export type WireEvent = Record<string, unknown> & { readonly event_id: string };

/** A new agent, of a new store unless the fields say otherwise. */
export function newAgent(fields: Partial<Agent> = {}): Agent {
  return {
    tenantId: randomUUID() as string as Uuid,
    storeId: randomUUID() as string as Uuid,
    agentId: randomUUID() as string as Uuid,
    keyId: 1,
    seed: new Uint8Array(randomBytes(32)),
    ...fields,
  };
}

export function publicKeyOf({ seed }: Pick<Agent, 'seed'>): string {
  return toHex(ed25519.getPublicKey(seed));
}

/** A plain event, signed as it stands; `fields` replaces signed fields, `payload` the payload. */
export function signedEvent(
  agent: Agent,
  {
    payload = { qty: 1 },
    ...fields
  }: Partial<Omit<SignedFields, 'payloadKind'>> & { payload?: unknown } = {},
): WireEvent {
  const canonical = canonicalText(utf8Bytes(JSON.stringify(payload)), 'jcs');
  const signed: SignedFields = {
    ...signedFields(agent),
    payloadKind: 0,
    payloadPlainHash: payloadPlainHash(canonical, null, nodeSha256),
    payloadCipherHash: new Uint8Array(32) as Uint8Array as Hash,
    ...fields,
  };
  return { ...wireEvent(signed, agent.seed), payload };
}

/** An event whose payload only its recipients could read; to a sequencer random bytes look the same. */
export function sealedEvent(agent: Agent): WireEvent {
  const signed: SignedFields = {
    ...signedFields(agent),
    payloadKind: 1,
    payloadPlainHash: new Uint8Array(randomBytes(32)) as Uint8Array as Hash,
    payloadCipherHash: new Uint8Array(32) as Uint8Array as Hash,
  };
  const parts = {
    nonce: randomBytes(12),
    ciphertext: randomBytes(40),
    tag: randomBytes(16),
    recipients: [{ kid: 3, enc: randomBytes(32), ct: randomBytes(48) }],
  };
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  const sealed = { ...signed, payloadCipherHash: payloadCipherHash(signed, parts, nodeSha256) };
  return {
    ...wireEvent(sealed, agent.seed),
    payload_encrypted: {
      enc_version: 1,
      aead: 'AES-256-GCM',
      nonce_b64u: text(parts.nonce),
      ciphertext_b64u: text(parts.ciphertext),
      tag_b64u: text(parts.tag),
      hpke: { mode: 'base', kem: 'X25519-HKDF-SHA256', kdf: 'HKDF-SHA256', aead: 'AES-256-GCM' },
      recipients: parts.recipients.map(({ kid, enc, ct }) => ({
        recipient_kid: kid,
        enc_b64u: text(enc),
        ct_b64u: text(ct),
      })),
    },
  };
}

/** A request of these events. */
export function vesBody(agentId: string, events: readonly object[]): string {
  return JSON.stringify({ agentId, events });
}

function signedFields(
  agent: Agent,
): Omit<SignedFields, 'payloadKind' | 'payloadPlainHash' | 'payloadCipherHash'> {
  return {
    vesVersion: 1,
    eventId: randomUUID() as string as Uuid,
    tenantId: agent.tenantId,
    storeId: agent.storeId,
    sourceAgent: agent.agentId,
    agentKeyId: agent.keyId,
    entityType: 'order',
    entityId: 'ORD-1',
    eventType: 'order.created',
    createdAtText: '2025-12-20T18:31:22.123Z',
  };
}

function wireEvent(fields: SignedFields, seed: Uint8Array): WireEvent {
  const signingHash = eventSigningHash(fields, nodeSha256);
  return {
    ves_version: fields.vesVersion,
    event_id: fields.eventId,
    tenant_id: fields.tenantId,
    store_id: fields.storeId,
    source_agent_id: fields.sourceAgent,
    agent_key_id: fields.agentKeyId,
    entity_type: fields.entityType,
    entity_id: fields.entityId,
    event_type: fields.eventType,
    created_at: fields.createdAtText,
    payload_kind: fields.payloadKind,
    payload_plain_hash: `0x${toHex(fields.payloadPlainHash)}`,
    payload_cipher_hash: `0x${toHex(fields.payloadCipherHash)}`,
    agent_signature: `0x${toHex(ed25519.sign(signingHash, seed))}`,
  };
}
