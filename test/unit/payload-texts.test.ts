import fc from 'fast-check';
import { payloadTexts } from '../../bin/driver/payload-texts.ts';

/** A page as the server writes it: compact but for the payloads, which are as their client sent them. */
function pageOf(payloads: readonly string[], entityId = 'order-1'): string {
  const events = payloads.map(
    (payload, index) =>
      `{"envelope":{"envelope_version":1,"event_id":"e${index}","entity_id":${JSON.stringify(entityId)},` +
      `"payload":${payload},"sequence_number":${index + 1}},"sequenced_at":"2026-01-31T12:00:00Z"}`,
  );
  return `{"events":[${events.join(',')}],"count":${payloads.length}}`;
}

test('payloads keep their number tokens, escapes, spaces and repeated keys', () => {
  const payloads = [
    '{ "a" : 1.0, "a":1e2 }',
    '"\\u0041\\/"',
    '-0',
    'null',
    '[1, [2,{"payload":3}]]',
    '{}',
    '[]',
  ];
  expect(payloadTexts(pageOf(payloads))).toEqual(payloads);
});

test('texts that look like a payload are not taken for one', () => {
  expect(payloadTexts(pageOf(['1'], '","payload":2,"x":"\\'))).toEqual(['1']);
});

test('an empty page has none', () => {
  expect(payloadTexts('{"events":[],"count":0}')).toEqual([]);
});

test('any JSON comes out as it went in', () => {
  const payload = fc.tuple(fc.json(), fc.nat({ max: 3 })).map(([text, indent]) => {
    return JSON.stringify(JSON.parse(text), null, indent);
  });
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 5 }), fc.string(), (payloads, entityId) => {
      expect(payloadTexts(pageOf(payloads, entityId))).toEqual(payloads);
    }),
  );
});
