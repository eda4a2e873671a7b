import { payloadShapes } from '../../bench/load/payload-shapes.ts';
import { payloadBytes, RequestTemplate } from '../../bench/load/request-template.ts';

interface Body {
  readonly events: readonly {
    readonly event_id: string;
    readonly entity_id: string;
    readonly payload: unknown;
  }[];
}

function templateOf(payload: string): RequestTemplate {
  const ids = { tenantId: 't', storeId: 's', agentId: 'a' };
  return new RequestTemplate({
    url: new URL('http://127.0.0.1:1'),
    apiKey: 'k',
    ...ids,
    payload,
    events: 50,
  });
}

function bodyOf(request: Buffer): { readonly head: string; readonly text: string } {
  const [head = '', text = ''] = request.toString('utf8').split('\r\n\r\n');
  return { head, text };
}

describe.each(Object.keys(payloadShapes))('a request with payload %s', (payload) => {
  test('is whole: its length is that of its body, which is JSON', () => {
    const { head, text } = bodyOf(templateOf(payload).next());
    expect(head).toMatch(new RegExp(`content-length: ${text.length}$`, 'i'));
    const body = JSON.parse(text) as Body;
    expect(body.events).toHaveLength(50);
  });

  test('has ids, entities and payloads that no request had before', () => {
    const template = templateOf(payload);
    const bodies = Array.from({ length: 10 }, () => JSON.parse(bodyOf(template.next()).text) as Body);
    const events = bodies.flatMap((body) => body.events);
    expect(new Set(events.map((event) => event.event_id)).size).toBe(500);
    expect(new Set(events.map((event) => event.entity_id)).size).toBe(500);
    expect(new Set(events.map((event) => JSON.stringify(event.payload))).size).toBe(500);
    for (const { event_id } of events) expect(event_id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });
});

test('the default payload is nested JSON of about 1 KB', () => {
  expect(payloadBytes('nested-1k')).toBeGreaterThanOrEqual(1_000);
  expect(payloadBytes('nested-1k')).toBeLessThanOrEqual(1_100);
});
