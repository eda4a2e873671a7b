import { UnusableHistory } from '../../domain/errors.ts';
import { checkHistory, HistoryChecker } from '../../domain/history/check-history.ts';
import type { HistoryRecord } from '../../domain/history/record.ts';
import type { HistoryRule } from '../../domain/history/rules.ts';
import {
  accepted,
  answered,
  claimed,
  finalPage,
  header,
  headRead,
  page,
  refused,
  stored,
  unanswered,
} from '../support/history-records.ts';

/** The rules that a history breaks, each with the lines that it names. */
function broken(...records: HistoryRecord[]): [HistoryRule, readonly number[]][] {
  return checkHistory(records).violations.map(({ rule, lines }) => [rule, lines]);
}

describe('a history holds when', () => {
  test('every acknowledged event is present, and nothing else', () => {
    const report = checkHistory([
      header,
      answered('a', [1, 5], [accepted('x', 1), accepted('y', 2)], 2),
      answered('b', [2, 9], [accepted('z', 3), refused('w')], 3),
      finalPage(['x', 'y', 'z']),
    ]);
    expect(report).toMatchObject({ holds: true, violationCount: 0, violations: [] });
    expect(report.counts).toMatchObject({
      appendsAcknowledged: 2,
      eventsAccepted: 3,
      eventsRead: 3,
      streams: 1,
    });
    expect(report.checks['acknowledged-present']).toBe(3);
    expect(report.checks['refused-absent']).toBe(1);
  });

  test('an append without an answer is there once or not at all', () => {
    const report = checkHistory([
      header,
      unanswered('a', [1, 5], 'unknown', ['x']),
      unanswered('b', [1, 5], 'unknown', ['y']),
      finalPage(['x']),
    ]);
    expect(report).toMatchObject({ holds: true, counts: { unknownPresent: 1, unknownAbsent: 1 } });
  });

  test('resubmitting finds the event stored, or stores it', () => {
    const records = [
      header,
      unanswered('a', [1, 5], 'unknown', ['x', 'y']),
      answered('a', [6, 9], [stored('x', 1), accepted('y', 2)], 2),
      finalPage(['x', 'y']),
    ];
    expect(broken(...records)).toEqual([]);
  });

  test('a refused append was stored by a later try', () => {
    const records = [
      header,
      unanswered('a', [1, 5], 'refused', ['x']),
      answered('a', [6, 9], [accepted('x', 1)]),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([]);
  });

  test('concurrent appends lie in either order', () => {
    const records = [
      header,
      answered('a', [1, 9], [accepted('x', 2)]),
      answered('b', [5, 7], [accepted('y', 1)]),
      finalPage(['y', 'x']),
    ];
    expect(broken(...records)).toEqual([]);
  });

  test('the final reading takes several pages and a head', () => {
    const last = { ...headRead('final', [1_000_004, 1_000_005], 2), final: true };
    const second = { sequence: 2, id: 'y', payload: 'bytes of y' };
    const records = [
      header,
      answered('a', [1, 9], [accepted('x', 1), accepted('y', 2)]),
      finalPage(['x'], { limit: 1 }),
      finalPage([], { limit: 1, from: 2, events: [second], invokedUs: 1_000_002, completedUs: 1_000_003 }),
      last,
    ];
    expect(broken(...records)).toEqual([]);
  });

  test('owners follow each other', () => {
    const records = [
      header,
      claimed('a', [1, 2], { epoch: 1, head: 0 }),
      answered('w', [3, 4], [accepted('x', 1, { epoch: 1 })]),
      claimed('b', [5, 6], { epoch: 2, head: 1 }),
      claimed('a', [7, 8], { epoch: 3, head: 1 }),
      answered('w', [9, 10], [accepted('y', 2, { epoch: 3 })]),
      finalPage(['x', 'y']),
    ];
    expect(broken(...records)).toEqual([]);
  });

  test('a stream was only read', () => {
    expect(broken(header, headRead('a', [1, 2], 4), page('a', [3, 4], ['x', 'y'], { limit: 2 }))).toEqual([]);
  });

  test('files of two recorders were put together', () => {
    const records = [header, answered('a', [1, 2], [accepted('x', 1)]), header, finalPage(['x'])];
    expect(broken(...records)).toEqual([]);
  });
});

describe('a history is violated, and both lines are named, when', () => {
  test('an acknowledged event is missing at the end', () => {
    const records = [header, answered('a', [1, 5], [accepted('x', 1), accepted('y', 2)]), finalPage(['x'])];
    expect(broken(...records)).toContainEqual(['acknowledged-present', [2, 3]]);
  });

  test('an acknowledged event lies at another sequence', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1)]),
      answered('b', [1, 5], [accepted('y', 2)]),
      finalPage(['y', 'x']),
    ];
    expect(broken(...records)).toContainEqual(['acknowledged-present', [2, 4]]);
  });

  test('an acknowledged event has other bytes', () => {
    const events = [{ sequence: 1, id: 'x', payload: 'other bytes' }];
    const records = [header, answered('a', [1, 5], [accepted('x', 1)]), finalPage([], { events })];
    expect(broken(...records)).toEqual([['acknowledged-present', [2, 3]]]);
  });

  test('an event said to be stored is missing', () => {
    const records = [
      header,
      unanswered('a', [1, 5], 'unknown', ['x']),
      answered('a', [6, 9], [stored('x', 1)]),
      finalPage([]),
    ];
    expect(broken(...records)).toContainEqual(['acknowledged-present', [3, 4]]);
  });

  test('a refused event is present', () => {
    const records = [header, unanswered('a', [1, 5], 'refused', ['x']), finalPage(['x'])];
    expect(broken(...records)).toEqual([['refused-absent', [2, 3]]]);
  });

  test('an event rejected in an answer is present', () => {
    const records = [header, answered('a', [1, 5], [refused('x')]), finalPage(['x'])];
    expect(broken(...records)).toEqual([['refused-absent', [2, 3]]]);
  });

  test('an event is present that nobody sent', () => {
    const records = [header, answered('a', [1, 5], [accepted('x', 1)]), finalPage(['x', 'y'])];
    expect(broken(...records)).toEqual([['nothing-invented', [3]]]);
  });

  test('a repeat is recognised of an event that nobody can have stored', () => {
    const records = [header, answered('a', [1, 5], [stored('x', 1)]), finalPage(['x'])];
    expect(broken(...records)).toEqual([['nothing-invented', [2, 3]]]);
  });

  test('an event without an answer has bytes that nobody sent', () => {
    const events = [{ sequence: 1, id: 'x', payload: 'other bytes' }];
    const records = [header, unanswered('a', [1, 5], 'unknown', ['x']), finalPage([], { events })];
    expect(broken(...records)).toEqual([['nothing-invented', [2, 3]]]);
  });

  test('an event is stored twice', () => {
    const records = [header, unanswered('a', [1, 5], 'unknown', ['x']), finalPage(['x', 'x'])];
    expect(broken(...records)).toContainEqual(['one-sequence-per-event', [3, 3]]);
  });

  test('two calls say that they stored the same event', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1)]),
      answered('b', [1, 6], [accepted('x', 1)]),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['one-sequence-per-event', [2, 3]]]);
  });

  test('an event is answered with two sequences', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1)]),
      answered('b', [6, 9], [stored('x', 2)]),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['one-sequence-per-event', [2, 3]]]);
  });

  test('a page has a gap', () => {
    const events = [
      { sequence: 1, id: 'x', payload: 'p' },
      { sequence: 3, id: 'y', payload: 'p' },
    ];
    expect(broken(header, page('a', [1, 2], [], { events }))).toEqual([['contiguous', [2]]]);
  });

  test('the final reads end below the final head', () => {
    const last = { ...headRead('final', [1_000_002, 1_000_003], 2), final: true };
    const records = [header, answered('a', [1, 5], [accepted('x', 1)]), finalPage(['x'], { limit: 1 }), last];
    expect(broken(...records)).toContainEqual(['contiguous', [4]]);
  });

  test('the final head lies below the final reads', () => {
    const last = { ...headRead('other', [1_000_002, 1_000_003], 1), final: true };
    const sent = answered('a', [1, 5], [accepted('x', 1), accepted('y', 2)]);
    expect(broken(header, sent, finalPage(['x', 'y'], { limit: 2 }), last)).toContainEqual([
      'contiguous',
      [3, 4],
    ]);
  });

  test('two reads of a sequence differ', () => {
    const records = [header, page('a', [1, 2], ['x']), page('b', [1, 2], ['y'])];
    expect(broken(...records)).toEqual([['reads-agree', [2, 3]]]);
  });

  test('two reads of an event differ in its bytes', () => {
    const events = [{ sequence: 1, id: 'x', payload: 'other bytes' }];
    const records = [header, page('a', [1, 2], ['x']), page('b', [1, 2], [], { events })];
    expect(broken(...records)).toEqual([['reads-agree', [2, 3]]]);
  });

  test('what was read once is gone at the end', () => {
    const sent = unanswered('a', [1, 5], 'unknown', ['x', 'y']);
    expect(broken(header, sent, page('b', [7, 8], ['x', 'y']), finalPage(['x']))).toContainEqual([
      'reads-agree',
      [3, 4],
    ]);
  });

  test('the events of one call are torn apart', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1), accepted('z', 3)]),
      answered('b', [1, 5], [accepted('y', 2)]),
      finalPage(['x', 'y', 'z']),
    ];
    expect(broken(...records)).toEqual([['call-in-order', [2]]]);
  });

  test('a later append lies below an earlier one', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 2)]),
      answered('b', [6, 9], [accepted('y', 1)]),
      finalPage(['y', 'x']),
    ];
    expect(broken(...records)).toEqual([['real-time-order', [2, 3]]]);
  });

  test('an append without an answer lies below one that had ended before it was sent', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 2)]),
      unanswered('b', [6, 9], 'unknown', ['y']),
      finalPage(['y', 'x']),
    ];
    expect(broken(...records)).toEqual([['real-time-order', [2, 3]]]);
  });

  test('an append lies below a head that was seen before it was sent', () => {
    const records = [
      header,
      answered('a', [1, 20], [accepted('x', 2)]),
      headRead('r', [2, 4], 2),
      answered('b', [6, 9], [accepted('y', 1)]),
      finalPage(['y', 'x']),
    ];
    expect(broken(...records)).toContainEqual(['real-time-order', [3, 4]]);
  });

  test('a head is below what was acknowledged before it was asked for', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1)]),
      headRead('b', [6, 7], 0),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['head-covers-acknowledged', [2, 3]]]);
  });

  test('a short page ends below what was acknowledged before it was asked for', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1), accepted('y', 2)]),
      page('b', [6, 7], ['x']),
      finalPage(['x', 'y']),
    ];
    expect(broken(...records)).toEqual([['head-covers-acknowledged', [2, 3]]]);
  });

  test('a process sees a head fall', () => {
    expect(broken(header, headRead('a', [1, 2], 3), headRead('a', [3, 4], 2))).toEqual([
      ['head-never-falls', [2, 3]],
    ]);
  });

  test("an answer's head lies below its own events", () => {
    const records = [header, answered('a', [1, 5], [accepted('x', 1)], 0), finalPage(['x'])];
    expect(broken(...records)).toEqual([['head-never-falls', [2]]]);
  });

  test('epochs fall along the sequences', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1, { epoch: 2 })]),
      answered('b', [6, 9], [accepted('y', 2, { epoch: 1 })]),
      finalPage(['x', 'y']),
    ];
    expect(broken(...records)).toEqual([['epochs-never-fall', [2, 3]]]);
  });

  test('a sequence has two epochs', () => {
    const events = [{ sequence: 1, id: 'x', payload: 'bytes of x', epoch: 2 }];
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1, { epoch: 1 })]),
      finalPage([], { events }),
    ];
    expect(broken(...records)).toEqual([['epochs-never-fall', [2, 3]]]);
  });

  test('an older owner appends after a claim', () => {
    const records = [
      header,
      answered('a', [1, 50], [accepted('x', 1, { epoch: 1 })]),
      claimed('b', [2, 3], { epoch: 2, head: 0 }),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['epochs-never-fall', [3, 2]]]);
  });

  test('an owner has appended before it claimed', () => {
    const records = [
      header,
      answered('a', [1, 50], [accepted('x', 1, { epoch: 2 })]),
      claimed('b', [2, 3], { epoch: 2, head: 1 }),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['epochs-never-fall', [3, 2]]]);
  });

  test('two claims get the same epoch', () => {
    const claims = ['a', 'b'].map((process) => claimed(process, [1, 2], { epoch: 3, head: 0 }));
    expect(broken(header, ...claims)).toEqual([['epochs-never-fall', [2, 3]]]);
  });

  test('a claim does not find what was acknowledged before it', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1)]),
      claimed('b', [6, 7], { epoch: 2, head: 0 }),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['head-covers-acknowledged', [2, 3]]]);
  });

  test('an event has two receipts', () => {
    const second = { ...stored('x', 1), receipt: 'other' } as const;
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1, { receipt: 'one' })]),
      answered('b', [6, 9], [second]),
      finalPage(['x']),
    ];
    expect(broken(...records)).toEqual([['receipts-hold', [2, 3]]]);
  });

  test('a receipt does not verify', () => {
    const records = [
      header,
      answered('a', [1, 5], [accepted('x', 1, { receipt: 'forged' })]),
      finalPage(['x']),
    ];
    const report = checkHistory(records, { verifyReceipt: (receipt) => receipt !== 'forged' });
    expect(report.violations).toMatchObject([{ rule: 'receipts-hold', lines: [2], stream: 't/s/legacy' }]);
  });
});

describe('a history is unusable when', () => {
  test('it is empty', () => {
    expect(() => checkHistory([])).toThrow(UnusableHistory);
  });

  test('a stream with appends has no final reading', () => {
    const records = [header, answered('a', [1, 5], [accepted('x', 1)]), page('b', [6, 7], ['x'])];
    expect(() => checkHistory(records)).toThrow(/no final reading/);
  });

  test('the final reading does not reach the end', () => {
    const records = [header, answered('a', [1, 5], [accepted('x', 1)]), finalPage(['x'], { limit: 1 })];
    expect(() => checkHistory(records)).toThrow(/no final reading that reaches its end/);
  });

  test('an append ended after the final reading began', () => {
    const records = [header, answered('a', [1, 2_000_000], [accepted('x', 1)]), finalPage(['x'])];
    expect(() => checkHistory(records)).toThrow(/began before its last append ended \(line 2\)/);
  });

  test('a process makes two calls at a time', () => {
    const records = [header, headRead('a', [1, 5], 0), headRead('a', [4, 6], 0)];
    expect(() => checkHistory(records)).toThrow(/line 3: process a made this call before its call on line 2/);
  });
});

test('violations beyond the first hundred are counted', () => {
  const checker = new HistoryChecker();
  checker.add(header);
  for (let call = 0; call < 300; call += 1) {
    checker.add(headRead('a', [call * 2, call * 2 + 1], 1_000 - call));
  }
  const report = checker.finish();
  expect(report.violations).toHaveLength(100);
  expect(report.violationCount).toBe(299);
});
