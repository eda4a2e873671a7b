import type { WorkBudget } from './work-budget.ts';

/**
 * One text for all JSON values that are equal, whatever the order of their members. It counts its own work.
 * @throws TooMuchWork
 */
export function canonicalValue(value: unknown, budget: Pick<WorkBudget, 'spend'>): string {
  if (typeof value !== 'object' || value === null) {
    budget.spend(typeof value === 'string' ? 1 + value.length / charactersPerStep : 1);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    budget.spend(stepsPerPart * (1 + value.length));
    return `[${value.map((element) => canonicalValue(element, budget)).join(',')}]`;
  }
  const names = Object.keys(value);
  budget.spend(stepsPerPart * (1 + names.length));
  const members = names
    .sort()
    .map(
      (name) => `${JSON.stringify(name)}:${canonicalValue((value as Record<string, unknown>)[name], budget)}`,
    );
  return `{${members.join(',')}}`;
}

const charactersPerStep = 16;
/** Texts are put together, which takes more than a look. */
const stepsPerPart = 4;
