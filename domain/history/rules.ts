/** What a history is held to. The names stand in reports and are never renamed. */
export const historyRules = {
  'acknowledged-present': 'an acknowledged event is present, at its sequence, with its bytes',
  'refused-absent': 'an event that every answer refused is absent',
  'nothing-invented': 'every event present was sent by a call that can have stored it, with these bytes',
  'one-sequence-per-event': 'an event id has one sequence, and one call stored it',
  contiguous: 'sequences are 1, 2, 3 … head, in every page and at the end',
  'reads-agree': 'two reads of a sequence show the same event',
  'call-in-order': "one call's accepted events lie together, in the order sent",
  'real-time-order': 'an append invoked after an answer lies above all that the answer showed',
  'head-covers-acknowledged': 'a head is not below what was confirmed before it was asked for',
  'head-never-falls': 'no process sees a head fall',
  'epochs-never-fall': 'epochs never fall along the sequences, and a claim ends all older ones',
  'receipts-hold': 'all receipts for one event are the same and verify',
} as const;

export type HistoryRule = keyof typeof historyRules;

/** A contradiction, with the lines of the two records that can't both be right (or of one that contradicts itself). */
export interface Violation {
  readonly rule: HistoryRule;
  readonly stream: string;
  readonly lines: readonly number[];
  readonly message: string;
}

/** A broken log can break a rule once an event; the first hundred say enough, the rest are counted. */
export const violationsMax = 100;

/** What was checked how often, and what did not hold. */
export class Findings {
  readonly checks: Record<HistoryRule, number>;
  readonly violations: Violation[] = [];
  violationCount = 0;
  private latest: Violation | null = null;

  constructor() {
    const names = Object.keys(historyRules) as HistoryRule[];
    this.checks = Object.fromEntries(names.map((name) => [name, 0])) as Record<HistoryRule, number>;
  }

  checked(rule: HistoryRule, times = 1): void {
    this.checks[rule] += times;
  }

  /** Two calls with many events each that contradict over all of them count once. */
  violated(violation: Violation): void {
    const { latest } = this;
    if (latest?.rule === violation.rule && sameLines(latest.lines, violation.lines)) return;
    this.latest = violation;
    this.violationCount += 1;
    if (this.violations.length < violationsMax) this.violations.push(violation);
  }
}

function sameLines(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
