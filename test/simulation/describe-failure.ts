import type { Sabotage } from './sabotaged-event-log.ts';
import type { SimulationReport } from './simulation.ts';

/** How many broken promises are shown; the others mostly follow from the first. */
const shownMax = 5;
const recordLengthMax = 500;

/** What a person needs of a run that failed: what did not hold, and how to see it again. */
export function describeFailure(
  { seed, broken }: SimulationReport,
  sabotage: Sabotage | null = null,
): string {
  const option = sabotage === null ? '' : ` --sabotage ${sabotage}`;
  return [
    `seed ${seed}: ${broken.length} promises broken`,
    ...broken
      .slice(0, shownMax)
      .flatMap(({ rule, message, records }) => [
        `  [${rule}] ${message}`,
        ...records.map((record) => `    ${shorten(JSON.stringify(record))}`),
      ]),
    `  replay it: npm run simulate -- --seed ${seed} --runs 1${option} --verbose`,
  ].join('\n');
}

function shorten(text: string): string {
  return text.length <= recordLengthMax ? text : `${text.slice(0, recordLengthMax)}…`;
}
