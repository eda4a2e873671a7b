import { judgeHistoryFile } from '../../bin/commands/check-history.command.ts';
import type { HistoryReport } from '../../domain/history/check-history.ts';

/** Fails with the first contradictions unless the history holds; a broken log has hundreds, all for one reason. */
export async function expectHistoryHolds(path: string): Promise<HistoryReport> {
  const report = await judgeHistoryFile(path);
  expect(report.violations.slice(0, 5)).toEqual([]);
  return report;
}
