import { randomUUID } from 'node:crypto';
import { SigningAgent as Signer } from '../../bin/driver/signing-agent.ts';
import { parseHex } from '../../domain/bytes.ts';
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
  const signers = plan.agents.map(
    ({ agentId, keyId, seed }) => new Signer(agentId, keyId, parseHex(seed, 32) ?? new Uint8Array(32)),
  );
  const requests: Buffer[] = [];
  for (let made = 0; made < plan.requests; made++) {
    requests.push(await makeRequest(plan, signers[made % signers.length]!));
  }
  return requests;
}

async function makeRequest(plan: SignedRequestsPlan, signer: Signer): Promise<Buffer> {
  const { url, apiKey, payload, events } = plan;
  const signed = await Promise.all(
    samplePayloads(payload, events).map((text) => {
      const eventId = randomUUID();
      return signer.sign(plan, {
        eventId,
        entityType: 'order',
        entityId: `order-${eventId.slice(0, 18)}`,
        eventType: 'order.updated',
        createdAt: '2026-01-31T12:00:00.000Z',
        payload: text,
      });
    }),
  );
  const body = `{"agentId":"${signer.agentId}","events":[${signed.join(',')}]}`;
  const head =
    `POST /api/v1/ves/events/ingest HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: ApiKey ${apiKey}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body, 'latin1');
}
