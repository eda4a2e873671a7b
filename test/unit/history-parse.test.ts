import { UnusableHistory } from '../../domain/errors.ts';
import { parseRecord } from '../../domain/history/parse-record.ts';
import { accepted, answered, finalPage, header, headRead, unanswered } from '../support/history-records.ts';

describe('a record of each type is read', () => {
  test.each([
    ['header', header],
    ['acknowledged append', answered('a', [1, 2], [accepted('x', 1, { epoch: 0, receipt: 'r' })], 1)],
    ['append without an answer', unanswered('a', [1, 2], 'unknown', ['x'])],
    ['head', headRead('a', [1, 1], 0)],
    ['page', finalPage(['x'])],
    ['record with a field of its own', { ...headRead('a', [1, 1], 0), node: 'n1' }],
  ])('%s', (_name, record) => {
    expect(parseRecord(structuredClone(record), 2)).toEqual(record);
  });
});

test('the first line must be the header', () => {
  expect(() => parseRecord(headRead('a', [1, 2], 0), 1)).toThrow(/line 1 .* must be the header/);
});

describe('a malformed record is refused, and its line and field are named', () => {
  const head = headRead('a', [1, 2], 0);
  const append = answered('a', [1, 2], [accepted('x', 1)]);
  test.each([
    ['a list', [], /line 7 .* not an object/],
    ['null', null, /not an object/],
    ['another type', { type: 'write' }, /"type" must be one of/],
    ['a later version', { type: 'history', version: 2 }, /"version" is not 1/],
    ['no process', { ...head, process: undefined }, /"process"/],
    ['an empty stream', { ...head, stream: '' }, /"stream"/],
    ['a time with a fraction', { ...head, invokedUs: 0.5 }, /"invokedUs"/],
    ['a time below zero', { ...head, invokedUs: -1 }, /"invokedUs"/],
    ['an end before its beginning', { ...head, invokedUs: 3 }, /"completedUs" lies before/],
    ['a head as text', { ...head, head: '3' }, /"head"/],
    ['a final that is no boolean', { ...head, final: 1 }, /"final"/],
    ['another outcome', { ...append, outcome: 'ok' }, /"outcome" must be one of/],
    ['no events', { ...append, events: undefined }, /"events" must be a list/],
    [
      'an event without result',
      { ...append, events: [{ id: 'x', payload: 'p' }] },
      /"result".*in events\[0\]/,
    ],
    ['sequence 0', { ...append, events: [accepted('x', 0)] }, /"sequence".*in events\[0\]/],
    ['a sequence beyond 2^53', { ...append, events: [accepted('x', 2 ** 53)] }, /"sequence"/],
    ['an empty receipt', { ...append, events: [accepted('x', 1, { receipt: '' })] }, /"receipt"/],
    ['a page from 0', { ...finalPage(['x']), from: 0 }, /"from"/],
  ])('%s', (_name, record, complaint) => {
    expect(() => parseRecord(record, 7)).toThrow(UnusableHistory);
    expect(() => parseRecord(record, 7)).toThrow(complaint);
  });
});
