import fc from 'fast-check';
import { checkHistory } from '../../domain/history/check-history.ts';
import { parseRecord } from '../../domain/history/parse-record.ts';
import type { HistoryRecord } from '../../domain/history/record.ts';
import { receiptOf, validHistory } from '../support/history-arbitrary.ts';
import { type Mutable, mutations } from '../support/history-mutations.ts';

const judge = (history: readonly HistoryRecord[]): ReturnType<typeof checkHistory> =>
  checkHistory(history, { verifyReceipt: (receipt, { id }) => receipt === receiptOf(id) });

test('every history of a log that keeps its promises holds', () => {
  fc.assert(
    fc.property(validHistory, (history) => {
      expect(judge(history).violations).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('every such history survives being written and parsed', () => {
  fc.assert(
    fc.property(validHistory, (history) => {
      const lines = history.map((record) => JSON.stringify(record));
      const parsed = lines.map((text, index) => parseRecord(JSON.parse(text), index + 1));
      expect(parsed).toEqual(history);
    }),
    { numRuns: 50 },
  );
});

describe('a single fault in such a history is caught:', () => {
  test.each(Object.entries(mutations))('%s', (_name, { rule, mutate }) => {
    let mutated = 0;
    fc.assert(
      fc.property(validHistory, fc.nat(), (valid, random) => {
        const history = structuredClone(valid) as Mutable<HistoryRecord>[];
        const choose = <Candidate>(candidates: readonly Candidate[]): Candidate | undefined =>
          candidates[random % Math.max(candidates.length, 1)];
        if (!mutate(history, choose)) return;
        mutated += 1;
        const report = judge(history);
        expect(report.violations.map((violation) => violation.rule)).toContain(rule);
        for (const { lines } of report.violations) {
          expect(lines.length).toBeGreaterThanOrEqual(1);
          for (const line of lines) expect(history[line - 1]).toBeDefined();
        }
      }),
      { numRuns: 300 },
    );
    expect(mutated).toBeGreaterThan(10);
  });
});
