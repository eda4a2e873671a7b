import { randomBytes, randomUUID } from 'node:crypto';
import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import { canonicalText } from '../../domain/json/canonical.ts';
import type { Hash, Uuid } from '../../domain/types.ts';
import { eventSigningHash, payloadPlainHash, type SignedFields } from '../../domain/ves/hashes.ts';
import { openSigningKey, type SigningKey } from '../../services/node-ed25519.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { ClientEvent, StoreName } from './sequencer-client.ts';

/** An agent that signs what it sends, with a key that the sequencer must be told of first. */
export class SigningAgent {
  readonly agentId: string;
  readonly keyId: number;
  private readonly key: SigningKey;

  /** @param seed the private key, 32 bytes; a new one unless given */
  constructor(agentId: string = randomUUID(), keyId = 1, seed: Uint8Array = randomBytes(32)) {
    this.agentId = agentId;
    this.keyId = keyId;
    this.key = openSigningKey(seed);
  }

  /** The body with which `POST /api/v1/agents/keys` registers its key for a tenant. */
  registration(tenantId: string): string {
    const { agentId, keyId } = this;
    return JSON.stringify({ tenantId, agentId, keyId, publicKey: toHex(this.key.publicKey) });
  }

  /** The event as text, signed; the payload goes in as it is. */
  async sign({ tenantId, storeId }: StoreName, event: ClientEvent): Promise<string> {
    const { eventId, entityType, entityId, eventType, payload, createdAt } = event;
    const fields: SignedFields = {
      vesVersion: 1,
      eventId: eventId as Uuid,
      tenantId: tenantId as Uuid,
      storeId: storeId as Uuid,
      sourceAgent: this.agentId as Uuid,
      agentKeyId: this.keyId,
      entityType,
      entityId,
      eventType,
      createdAtText: createdAt,
      payloadKind: 0,
      payloadPlainHash: payloadPlainHash(canonicalText(utf8Bytes(payload), 'jcs'), null, nodeSha256),
      payloadCipherHash: new Uint8Array(32) as Uint8Array as Hash,
    };
    const signature = await this.key.sign(eventSigningHash(fields, nodeSha256));
    const envelope = {
      ves_version: 1,
      event_id: eventId,
      tenant_id: tenantId,
      store_id: storeId,
      source_agent_id: this.agentId,
      agent_key_id: this.keyId,
      entity_type: entityType,
      entity_id: entityId,
      event_type: eventType,
      created_at: createdAt,
      payload_kind: 0,
      payload_plain_hash: `0x${toHex(fields.payloadPlainHash)}`,
      payload_cipher_hash: `0x${toHex(fields.payloadCipherHash)}`,
      agent_signature: `0x${toHex(signature)}`,
    };
    return `${JSON.stringify(envelope).slice(0, -1)},"payload":${payload}}`;
  }
}
