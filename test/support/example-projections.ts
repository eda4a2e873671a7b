import { randomUUID } from 'node:crypto';
import { sample } from '../../services/gateway/openapi/samples.ts';
import { exampleCall, routeOf } from './example-calls.ts';
import { until } from './until.ts';
import type { VesNode } from './ves-node.ts';

/** Makes the projection that the examples read, and a dead letter: the order of the examples is created twice. */
export async function projectExamples({ send }: Pick<VesNode, 'send'>): Promise<void> {
  const created = () => ({
    event_id: randomUUID(),
    tenant_id: sample.tenant,
    store_id: sample.store,
    entity_type: 'order',
    entity_id: 'order-1001',
    event_type: 'order.created',
    payload: { customer_id: 'C-1' },
    created_at: sample.time,
    source_agent: sample.agent,
  });
  const call = exampleCall(routeOf('ingestLegacyEvents'));
  const { status } = await send(call.method, call.path, {
    agent_id: sample.agent,
    events: [created(), created()],
  });
  expect(status).toBe(200);
  const list = exampleCall(routeOf('listDeadLetters'));
  await until('there is a dead letter', async () => (await send('GET', list.path)).json.count > 0);
}
