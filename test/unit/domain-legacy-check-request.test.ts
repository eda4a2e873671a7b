import { utf8Bytes } from '../../domain/bytes.ts';
import { Refused } from '../../domain/errors.ts';
import { checkLegacyRequest, readLegacyRequest } from '../../domain/legacy/request.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import { parseUuid } from '../../domain/uuid.ts';

const agent = parseUuid('22222222-2222-4222-8222-222222222222')!;
const other = parseUuid('33333333-3333-4333-8333-333333333333')!;
const principal = { agentId: null, mayWrite: true };
const limits = { maxEventsPerBatch: 3, maxEventPayloadSize: 20 };
const event = {
  event_id: other,
  tenant_id: other,
  store_id: other,
  entity_type: 'order',
  entity_id: 'ORD-001',
  event_type: 'order.created',
  payload: {},
  created_at: '2025-12-20T18:31:22Z',
};

function check(events: object[], caller: Parameters<typeof checkLegacyRequest>[1] = principal): string {
  const body = JSON.stringify({
    agent_id: agent,
    events: events.map((changes) => ({ ...event, ...changes })),
  });
  try {
    checkLegacyRequest(readLegacyRequest(utf8Bytes(body), portableSha256), caller, limits);
    return 'passed';
  } catch (error) {
    if (error instanceof Refused) return `${error.code}: ${error.message}`;
    throw error;
  }
}

test('a request within all limits passes', () => {
  expect(check([{}, {}, {}])).toBe('passed');
  expect(check([{}], { agentId: agent, mayWrite: true })).toBe('passed');
});

test('a request without events passes, whoever sends it', () => {
  expect(check([], { agentId: other, mayWrite: false })).toBe('passed');
});

test('each fault is refused with its code', () => {
  expect(check([{}, {}, { store_id: agent }])).toMatch(
    /^INVALID_FIELD_VALUE: events\[2\] has another tenant_id/,
  );
  expect(check([{}, { tenant_id: agent }])).toMatch(
    /^INVALID_FIELD_VALUE: events\[1\] has another tenant_id/,
  );
  expect(check([{}], { agentId: other, mayWrite: true })).toMatch(
    /^INSUFFICIENT_PERMISSIONS: .* bound to agent 3333/,
  );
  expect(check([{}, { source_agent: other }])).toMatch(
    /^INVALID_FIELD_VALUE: events\[1\]\.source_agent is 3333/,
  );
  expect(check([{}], { agentId: null, mayWrite: false })).toMatch(
    /^INSUFFICIENT_PERMISSIONS: .* may not write/,
  );
  expect(check([{}, {}, {}, {}])).toBe(
    'PAYLOAD_TOO_LARGE: events has 4 entries; at most 3 are accepted in one request',
  );
});

test.each([
  ['entity_type', 128],
  ['entity_id', 512],
  ['event_type', 256],
])('%s has 1 to %d bytes, not characters, and no U+0000', (field, bytesMax) => {
  expect(check([{ [field]: 'x'.repeat(bytesMax) }])).toBe('passed');
  expect(check([{ [field]: 'é'.repeat(bytesMax / 2) }])).toBe('passed');
  expect(check([{ [field]: `${'é'.repeat(bytesMax / 2)}x` }])).toBe(
    `INVALID_FIELD_VALUE: events[0].${field} has ${bytesMax + 1} bytes; 1 to ${bytesMax} are accepted`,
  );
  expect(check([{}, { [field]: '' }])).toBe(
    `INVALID_FIELD_VALUE: events[1].${field} has 0 bytes; 1 to ${bytesMax} are accepted`,
  );
  expect(check([{ [field]: 'a\0b' }])).toMatch(/^INVALID_FIELD_VALUE: .* has the character U\+0000/);
});

test('a payload is measured as compact JSON', () => {
  expect(check([{ payload: 'x'.repeat(18) }])).toBe('passed');
  expect(check([{ payload: 'x'.repeat(19) }])).toBe(
    'PAYLOAD_TOO_LARGE: events[0].payload has 21 bytes as compact JSON; at most 20 are accepted',
  );
  const spaced = JSON.stringify({ agent_id: agent, events: [{ ...event, payload: { a: [1, 2] } }] }, null, 8);
  checkLegacyRequest(readLegacyRequest(utf8Bytes(spaced), portableSha256), principal, limits);
});

test('of several faults the one that is published first is told', () => {
  const faults = [
    { store_id: agent, source_agent: other, entity_type: '', payload: 'x'.repeat(50) },
    { source_agent: other, entity_type: '', payload: 'x'.repeat(50) },
    { entity_type: '', payload: 'x'.repeat(50) },
    { payload: 'x'.repeat(50) },
  ];
  const [stray, foreign, nameless, large] = faults as [object, object, object, object];
  const stranger = { agentId: other, mayWrite: false };
  const reader = { agentId: null, mayWrite: false };
  expect(check([{}, {}, {}, stray], stranger)).toContain('another tenant_id');
  expect(check([{}, {}, {}, foreign], stranger)).toContain('bound to agent');
  expect(check([{}, {}, {}, foreign], reader)).toContain('source_agent');
  expect(check([{}, {}, {}, nameless], reader)).toContain('may not write');
  expect(check([{}, {}, {}, nameless])).toContain('4 entries');
  expect(check([large, nameless])).toContain('events[0].payload');
  expect(check([nameless, large])).toContain('events[0].entity_type');
});
