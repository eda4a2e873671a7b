import { textTable } from '../report/text-table.ts';
import type { Figure, PerformanceReport } from './report.ts';

/** One figure in two reports. */
export interface Change {
  readonly name: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** Above 1 when it is better than before: more of what there should be more of, or less of the rest. */
  readonly timesBetter: number;
  /** Beyond what two runs of the same code differ by. */
  readonly isBeyondNoise: boolean;
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** Names of figures that only one of the two has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** What makes the two hard to compare, in sentences. */
  readonly cautions: readonly string[];
}

/**
 * By how much two full runs of the same code on the same machine at rest may differ. The last hundredth of all times hangs on
 * single pauses, and shares divide two measurements by each other.
 */
const noise: readonly { readonly pattern: RegExp; readonly share: number }[] = [
  { pattern: /p99/, share: 0.6 },
  { pattern: /p95/, share: 0.4 },
  { pattern: /p50|share/, share: 0.25 },
  { pattern: /bytes|hit_rate/, share: 0.05 },
];
const noiseOfRates = 0.2;
/** Of figures that only one of the reports has. */
const namesMax = 4;

/** What changed from one report to another, most first. */
export function compareReports(before: PerformanceReport, after: PerformanceReport): Comparison {
  const [old, now] = [figuresOf(before), figuresOf(after)];
  const changes = [...now.values()]
    .flatMap((figure) => {
      const earlier = old.get(figure.name);
      return earlier === undefined ? [] : [changeOf(earlier, figure)];
    })
    .sort((one, other) => distance(other) - distance(one));
  return {
    changes,
    onlyBefore: [...old.keys()].filter((name) => !now.has(name)),
    onlyAfter: [...now.keys()].filter((name) => !old.has(name)),
    cautions: cautionsOf(before, after),
  };
}

/** As text for a terminal. */
export function renderComparison({ changes, onlyBefore, onlyAfter, cautions }: Comparison): string {
  const rows = changes.map(({ name, unit, before, after, timesBetter, isBeyondNoise }) => [
    name,
    unit,
    digits(before),
    digits(after),
    `${timesBetter.toPrecision(3)} ×`,
    isBeyondNoise ? (timesBetter > 1 ? 'better' : 'WORSE') : '',
  ]);
  const worse = changes.filter((change) => change.isBeyondNoise && change.timesBetter < 1).length;
  const better = changes.filter((change) => change.isBeyondNoise && change.timesBetter > 1).length;
  const names = (title: string, list: readonly string[]): string[] =>
    list.length === 0
      ? []
      : [
          `${title}, ${list.length}: ${list.slice(0, namesMax).join(', ')}${list.length > namesMax ? ' …' : ''}`,
        ];
  return [
    ...textTable([['figure', 'unit', 'before', 'now', 'better by', ''], ...rows]),
    '',
    ...names('no longer measured', onlyBefore),
    ...names('measured for the first time', onlyAfter),
    ...cautions,
    `Beyond the noise of two runs, of ${changes.length} figures ${better} are better and ${worse} worse.`,
  ].join('\n');
}

function figuresOf({ sections }: PerformanceReport): Map<string, Figure> {
  return new Map(sections.flatMap(({ figures }) => figures).map((figure) => [figure.name, figure]));
}

function changeOf(before: Figure, after: Figure): Change {
  const { name, unit, better } = after;
  const ratio = after.value / before.value;
  const timesBetter = better === 'higher' ? ratio : 1 / ratio;
  const share = noise.find(({ pattern }) => pattern.test(name))?.share ?? noiseOfRates;
  const isBeyondNoise = timesBetter > 1 + share || timesBetter < 1 / (1 + share);
  return { name, unit, before: before.value, after: after.value, timesBetter, isBeyondNoise };
}

function distance({ timesBetter }: Change): number {
  return Math.abs(Math.log(timesBetter));
}

function cautionsOf(before: PerformanceReport, after: PerformanceReport): string[] {
  const cautions: string[] = [];
  if (before.machine.cpu !== after.machine.cpu || before.machine.cores !== after.machine.cores) {
    cautions.push('The two are of different machines: compare ratios within each, not these.');
  }
  if (before.mode !== after.mode) {
    cautions.push(
      `One is ${before.mode}, the other ${after.mode}: what is measured for a moment tells little.`,
    );
  }
  return cautions;
}

function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
