import { randomUUID } from 'node:crypto';
import type { SigningAgent } from '../../bin/driver/signing-agent.ts';
import { orderPayload } from './bodies.js';

export interface SignedBodiesPlan {
  readonly tenantId: string;
  readonly storeIds: readonly string[];
  /** The node knows their keys. */
  readonly agents: readonly SigningAgent[];
  readonly events: number;
  readonly requests: number;
}

/** Bodies of `POST /api/v1/ves/events/ingest`, each of one agent and one store. */
export async function makeSignedBodies(plan: SignedBodiesPlan): Promise<string[]> {
  const { tenantId, storeIds, agents, events, requests } = plan;
  const bodies: string[] = [];
  for (let made = 0; made < requests; made++) {
    const agent = agents[made % agents.length]!;
    const store = { tenantId, storeId: storeIds[made % storeIds.length]! };
    const signed = await Promise.all(
      Array.from({ length: events }, () =>
        agent.sign(store, {
          eventId: randomUUID(),
          entityType: 'order',
          entityId: `order-${made}`,
          eventType: 'order.updated',
          createdAt: new Date().toISOString(),
          payload: JSON.stringify(orderPayload()),
        }),
      ),
    );
    bodies.push(`{"agentId":"${agent.agentId}","events":[${signed.join(',')}]}`);
  }
  return bodies;
}
