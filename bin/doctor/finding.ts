/** `advice` can wait for working hours; of a `problem` somebody should know today. */
export type Level = 'ok' | 'advice' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  readonly level: Level;
  /** What is, with its value. */
  readonly what: string;
  /** Why it matters; null where all is well. */
  readonly why: string | null;
  /** What to do; null where nothing is. */
  readonly change: string | null;
}

export function ok(what: string): Finding {
  return { level: 'ok', what, why: null, change: null };
}

export function advice(what: string, why: string, change: string): Finding {
  return { level: 'advice', what, why, change };
}

export function problem(what: string, why: string, change: string): Finding {
  return { level: 'problem', what, why, change };
}

/** The finding, worse first, for a person. */
export function describeFindings(findings: readonly Finding[]): string {
  const order: readonly Level[] = ['problem', 'advice', 'ok'];
  const sorted = order.flatMap((level) => findings.filter((finding) => finding.level === level));
  const lines = sorted.map(({ level, what, why, change }) =>
    [
      `${level.toUpperCase().padEnd(7)}  ${what}`,
      ...(why === null ? [] : [`         why: ${why}`]),
      ...(change === null ? [] : [`         do: ${change}`]),
    ].join('\n'),
  );
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  return [
    ...lines,
    `\nProblems: ${count('problem')}, advice: ${count('advice')}, in order: ${count('ok')}.`,
  ].join('\n');
}
