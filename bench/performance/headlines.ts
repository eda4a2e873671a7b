import { percent, times, whole } from '../report/number-text.ts';
import type { Figure, PerformanceReport } from './report.ts';

/** The few lines that a reader takes away, each a ratio to something that stands beside it. */
export function headlines(report: PerformanceReport): string[] {
  const figures = new Map(
    report.sections.flatMap((section) => section.figures).map((figure) => [figure.name, figure]),
  );
  const targets = report.sections.flatMap((section) => section.targets);
  return [
    ingestLine(figures),
    ceilingLine(figures),
    proofLine(figures),
    targets.length === 0
      ? null
      : `Of ${targets.length} targets ${targets.filter(({ met }) => met).length} are met, of the ${targets.filter(({ firm }) => firm).length} firm ones ${targets.filter(({ met, firm }) => met && firm).length}.`,
  ].filter((line) => line !== null);
}

function ingestLine(figures: ReadonlyMap<string, Figure>): string | null {
  const ratios = (payload: string): number[] =>
    [...figures.values()]
      .filter(({ name }) => name.startsWith(`ingest.${payload}.`) && name.endsWith('.events_per_second'))
      .map(({ value, published }) => value / (published ?? Number.NaN))
      .sort((a, b) => a - b);
  const [nested, small] = [ratios('nested-1k'), ratios('small-150')];
  if (nested.length === 0 || small.length === 0) return null;
  const say = (all: readonly number[]): string =>
    `${times(all[Math.floor(all.length / 2)]!)} (${times(all[0]!)} to ${times(all.at(-1)!)})`;
  return `**Ingest** reaches, in the median of the published table's cells, ${say(nested)} the published events a second with nested payloads of 1 KB and ${say(small)} with payloads of 150 bytes.`;
}

function ceilingLine(figures: ReadonlyMap<string, Figure>): string | null {
  const share = figures.get('ingest.nested-1k.500x10.share_of_copy');
  const rate = figures.get('ingest.nested-1k.500x10.events_per_second');
  if (share === undefined || rate === undefined) return null;
  return `**Of the machine's limit**, binary COPY into the same table, ingest over HTTP reaches ${percent(share.value)} (500 events × 10 connections, 1 KB: ${whole(rate.value)} events a second).`;
}

function proofLine(figures: ReadonlyMap<string, Figure>): string | null {
  const verification = figures.get('verification.depth-16.per_second');
  const commitments = figures.get('commitments.memory.1000.per_second');
  if (verification?.published == null || commitments?.published == null) return null;
  return `**Proofs** are verified at ${times(verification.value / verification.published)} and commitments of 1,000 events computed at ${times(commitments.value / commitments.published)} the published rate on one core.`;
}
