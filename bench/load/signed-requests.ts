import { randomUUID } from 'node:crypto';
import { parseHex, toHex, utf8Bytes } from '../../domain/bytes.ts';
import { canonicalText } from '../../domain/json/canonical.ts';
import type { Hash, Uuid } from '../../domain/types.ts';
import { eventSigningHash, payloadPlainHash, type SignedFields } from '../../domain/ves/hashes.ts';
import { openSigningKey, type SigningKey } from '../../services/node-ed25519.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { samplePayloads } from './request-template.ts';

/** An agent whose key the node knows under `keyId`. */
export interface SigningAgent {
  readonly agentId: string;
  readonly keyId: number;
  /** The private key: 32 bytes as hex. */
  readonly seed: string;
}

export interface SignedRequestsPlan {
  readonly url: string;
  readonly apiKey: string;
  readonly tenantId: string;
  readonly storeId: string;
  readonly agents: readonly SigningAgent[];
  readonly payload: string;
  /** In each request; all are of one agent. */
  readonly events: number;
  readonly requests: number;
}

/**
 * Requests whose events are really signed, made before anything is measured: signing costs the generator as much as the
 * node's receipts cost the node.
 */
export async function makeSignedRequests(plan: SignedRequestsPlan): Promise<Buffer[]> {
  const keys = plan.agents.map(({ seed }) => openSigningKey(parseHex(seed, 32) ?? new Uint8Array(32)));
  const requests: Buffer[] = [];
  for (let made = 0; made < plan.requests; made++) {
    const agent = plan.agents[made % plan.agents.length]!;
    requests.push(await makeRequest(plan, agent, keys[made % keys.length]!));
  }
  return requests;
}

async function makeRequest(plan: SignedRequestsPlan, agent: SigningAgent, key: SigningKey): Promise<Buffer> {
  const { url, apiKey, payload, events } = plan;
  const texts = samplePayloads(payload, events);
  const signed = await Promise.all(texts.map((text) => signedEvent(plan, agent, key, text)));
  const body = `{"agentId":"${agent.agentId}","events":[${signed.join(',')}]}`;
  const head =
    `POST /api/v1/ves/events/ingest HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: ApiKey ${apiKey}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body, 'latin1');
}

async function signedEvent(
  { tenantId, storeId }: SignedRequestsPlan,
  { agentId, keyId }: SigningAgent,
  key: SigningKey,
  payload: string,
): Promise<string> {
  const eventId = randomUUID();
  const fields: SignedFields = {
    vesVersion: 1,
    eventId: eventId as string as Uuid,
    tenantId: tenantId as Uuid,
    storeId: storeId as Uuid,
    sourceAgent: agentId as Uuid,
    agentKeyId: keyId,
    entityType: 'order',
    entityId: `order-${eventId.slice(0, 18)}`,
    eventType: 'order.updated',
    createdAtText: '2026-01-31T12:00:00.000Z',
    payloadKind: 0,
    payloadPlainHash: payloadPlainHash(canonicalText(utf8Bytes(payload), 'jcs'), null, nodeSha256),
    payloadCipherHash: new Uint8Array(32) as Uint8Array as Hash,
  };
  const signature = await key.sign(eventSigningHash(fields, nodeSha256));
  return (
    `{"ves_version":1,"event_id":"${eventId}","tenant_id":"${tenantId}","store_id":"${storeId}",` +
    `"source_agent_id":"${agentId}","agent_key_id":${keyId},"entity_type":"${fields.entityType}",` +
    `"entity_id":"${fields.entityId}","event_type":"${fields.eventType}","created_at":"${fields.createdAtText}",` +
    `"payload_kind":0,"payload":${payload},"payload_plain_hash":"0x${toHex(fields.payloadPlainHash)}",` +
    `"payload_cipher_hash":"0x${toHex(fields.payloadCipherHash)}","agent_signature":"0x${toHex(signature)}"}`
  );
}
