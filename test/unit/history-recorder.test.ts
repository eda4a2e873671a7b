import { answeredEvents } from '../../bin/driver/recorded-client.ts';
import type { ClientEvent, IngestAnswer } from '../../bin/driver/sequencer-client.ts';

function event(eventId: string): ClientEvent {
  const createdAt = '2026-01-31T12:00:00Z';
  return {
    eventId,
    entityType: 'order',
    entityId: 'o',
    eventType: 'order.updated',
    payload: '{}',
    createdAt,
  };
}

function answer(more: Partial<IngestAnswer>): IngestAnswer {
  const none = { assigned_sequence_start: null, assigned_sequence_end: null, head_sequence: 4 };
  return { events_accepted: 0, events_rejected: 0, ...none, ...more };
}

test('accepted, stored and refused events are told apart', () => {
  const events = answeredEvents(
    ['a', 'b', 'c', 'd'].map(event),
    answer({
      events_accepted: 2,
      events_rejected: 2,
      assigned_sequence_start: 3,
      assigned_sequence_end: 4,
      receipts: [
        { event_id: 'a', sequence_number: 3 },
        { event_id: 'c', sequence_number: 4 },
      ],
      rejections: [
        { event_id: 'b', reason: 'DuplicateEventId', sequence_number: 1 },
        { event_id: 'd', reason: 'VersionConflict' },
      ],
    }),
  );
  expect(events).toMatchObject([
    { id: 'a', result: 'accepted', sequence: 3 },
    { id: 'b', result: 'stored', sequence: 1 },
    { id: 'c', result: 'accepted', sequence: 4 },
    { id: 'd', result: 'refused' },
  ]);
});

test('of an id that was sent twice, the first is accepted', () => {
  const events = answeredEvents(
    [event('a'), event('a')],
    answer({
      events_accepted: 1,
      events_rejected: 1,
      assigned_sequence_start: 4,
      assigned_sequence_end: 4,
      receipts: [{ event_id: 'a', sequence_number: 4 }],
      rejections: [{ event_id: 'a', reason: 'DuplicateEventId' }],
    }),
  );
  expect(events.map(({ result }) => result)).toEqual(['accepted', 'refused']);
});

describe('an answer that contradicts itself is an error:', () => {
  const receipts = [{ event_id: 'a', sequence_number: 4 }];
  const right = { events_accepted: 1, assigned_sequence_start: 4, assigned_sequence_end: 4, receipts };
  test.each([
    ['an event is missing', answer({})],
    ['a count is wrong', answer({ ...right, events_accepted: 2 })],
    ['it rejects what it accepts', answer({ ...right, events_rejected: 1 })],
    ['the range is not that of the receipts', answer({ ...right, assigned_sequence_end: 5 })],
    [
      'a receipt is for another event',
      answer({ ...right, receipts: [...receipts, { event_id: 'b', sequence_number: 5 }] }),
    ],
  ])('%s', (_name, contradictory) => {
    expect(() => answeredEvents([event('a')], contradictory)).toThrow(/contradicts itself/);
  });
});
