import { randomUUID } from 'node:crypto';
import type { StoreKey } from '../../domain/types.ts';
import { type Agent, newAgent, sealedEvent, signedEvent } from './ves-events.ts';
import type { VesNode } from './ves-node.ts';

/** A store with events and commitments of both worlds. */
export interface FilledStore extends StoreKey {
  readonly agents: readonly Agent[];
  /** The same in both worlds. */
  readonly eventCount: number;
  /** The ranges that are committed, in both worlds; what comes after them is not. */
  readonly committed: readonly (readonly [number, number])[];
}

const eventsOfAnAgent = 6;
const committed = [
  [1, 5],
  [6, 6],
  [7, 13],
] as const;

/**
 * Appends 18 signed events of three agents, of which each third is encrypted, and 18 legacy events, and commits the first
 * 13 of both over HTTP.
 */
export async function fillStore(node: VesNode): Promise<FilledStore> {
  const first = newAgent();
  const { tenantId, storeId } = first;
  const agents = [first, newAgent({ tenantId, storeId, keyId: 7 }), newAgent({ tenantId, storeId })];
  for (const agent of agents) {
    expect((await node.registerKey(agent)).status).toBe(200);
    const events = Array.from({ length: eventsOfAnAgent }, (_, index) =>
      index % 3 === 2
        ? sealedEvent(agent)
        : signedEvent(agent, { payload: { index, note: 'π', total: 99.5 } }),
    );
    const answer = await node.ingest(agent.agentId, events);
    expect(answer.json).toMatchObject({ eventsAccepted: eventsOfAnAgent });
  }
  const eventCount = agents.length * eventsOfAnAgent;
  const events = Array.from({ length: eventCount }, (_, index) => legacyEvent(first, index));
  const text = `{"agent_id":"${first.agentId}","events":[${events.join(',')}]}`;
  const answer = await node.send('POST', '/api/v1/events/ingest', text);
  expect(answer.json).toMatchObject({ events_accepted: eventCount });
  for (const path of ['/api/v1/ves/commitments', '/api/v1/commitments']) {
    for (const [sequence_start, sequence_end] of committed) {
      const range = { tenant_id: tenantId, store_id: storeId, sequence_start, sequence_end };
      expect((await node.send('POST', path, range)).status).toBe(200);
    }
  }
  return { tenantId, storeId, agents, eventCount, committed };
}

/** With number tokens and line breaks that a parser would not keep, and nothing that two texts say alike. */
function legacyEvent({ tenantId, storeId, agentId }: Agent, index: number): string {
  const fields = {
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: storeId,
    entity_type: 'order',
    entity_id: `ORD-${index % 4}`,
    event_type: 'order.changed',
    created_at: '2025-12-20T18:31:22.123Z',
    source_agent: agentId,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"payload":{"total": ${index}.50,\n "big":18446744073709551615}}`;
}

/** `tenant_id=…&store_id=…` */
export function storeQuery({ tenantId, storeId }: StoreKey): string {
  return `tenant_id=${tenantId}&store_id=${storeId}`;
}
