/** The requests of the load scripts, in JavaScript that both k6 and Node.js run. */

/** Random, which is enough to be distinct; k6 has no crypto.randomUUID. */
export function randomUuid() {
  const digits = 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx';
  return digits.replace(/[xy]/g, (letter) => {
    const digit = Math.floor(Math.random() * 16);
    return (letter === 'x' ? digit : (digit & 3) | 8).toString(16);
  });
}

/** An order of about 1 KB. */
export function orderPayload() {
  const amount = () => Number((Math.random() * 1_000).toFixed(2));
  return {
    order: {
      id: randomUuid(),
      channel: 'web',
      customer: { id: randomUuid(), address: { street: randomUuid(), city: 'Utrecht', country: 'NL' } },
    },
    lines: [1, 2, 3, 4].map((line) => ({
      line,
      sku: randomUuid().slice(0, 12),
      quantity: 1 + Math.floor(Math.random() * 9),
      price: { amount: amount(), currency: 'EUR', tax: { rate: 0.21, included: true } },
      note: randomUuid(),
    })),
    totals: { net: amount(), tax: amount(), refunded: null },
  };
}

/** The body of `POST /api/v1/events/ingest` with so many new events of one store. */
export function ingestBody({ tenantId, storeId, agentId, events }) {
  return JSON.stringify({
    agent_id: agentId,
    events: Array.from({ length: events }, () => ({
      event_id: randomUuid(),
      tenant_id: tenantId,
      store_id: storeId,
      entity_type: 'order',
      entity_id: `order-${Math.floor(Math.random() * 10_000)}`,
      event_type: 'order.updated',
      created_at: new Date().toISOString(),
      source_agent: agentId,
      payload: orderPayload(),
    })),
  });
}

/** The body of `POST /api/v1/commitments`. */
export function commitmentBody({ tenantId, storeId, start, end }) {
  return JSON.stringify({ tenant_id: tenantId, store_id: storeId, sequence_start: start, sequence_end: end });
}

/** The end of the path of a read: `?tenant_id=…&store_id=…`, and what else is given. */
export function query({ tenantId, storeId, ...more }) {
  const parts = { tenant_id: tenantId, store_id: storeId, ...more };
  return `?${Object.entries(parts)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;
}
