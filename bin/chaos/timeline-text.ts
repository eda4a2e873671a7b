import type { FaultRecord } from './inflict.ts';
import { recoveryTimes, secondsText } from './recovery-times.ts';
import type { ChaosFault, ChaosResult } from './run-chaos.ts';
import type { Second } from './tally.ts';

const barWidth = 40;
const linesMax = 120;

/** The run as text: what clients were told over time beside what was done, then the times to recover and the verdict. */
export function timelineText(result: ChaosResult): string {
  return [
    ...timeline(result),
    '',
    ...faultLines(result.faults),
    '',
    ...recoveryLines(result),
    '',
    ...verdict(result),
  ].join('\n');
}

function timeline({ seconds, faults }: ChaosResult): string[] {
  const step = Math.ceil(seconds.length / linesMax);
  const rows = Array.from({ length: Math.ceil(seconds.length / step) }, (_, row) =>
    average(seconds.slice(row * step, (row + 1) * step)),
  );
  const most = Math.max(1, ...rows.map(({ events }) => events));
  const heading = `${'time'.padStart(6)}  ${'events/s'.padEnd(barWidth + 7)} ${'503/s'.padStart(6)} ${'unknown/s'.padStart(9)} ${'refused/s'.padStart(9)}`;
  return [
    heading,
    ...rows.map((row, index) => {
      const from = index * step * 1_000;
      const bar = '█'.repeat(Math.round((row.events / most) * barWidth)).padEnd(barWidth);
      const counts = [row.pushbacks, row.unknown, row.unreached];
      const [pushbacks, unknown, unreached] = counts.map((count) => (count === 0 ? '·' : count.toFixed(1)));
      const marks = faults.flatMap((fault) => marksOf(fault, from, from + step * 1_000));
      return `${`${index * step} s`.padStart(6)}  ${Math.round(row.events).toString().padStart(6)} ${bar} ${pushbacks!.padStart(6)} ${unknown!.padStart(9)} ${unreached!.padStart(9)}  ${marks.join(', ')}`.trimEnd();
    }),
  ];
}

function marksOf(fault: FaultRecord, fromMs: number, toMs: number): string[] {
  const isIn = (ms: number): boolean => ms >= fromMs && ms < toMs;
  return [
    ...(isIn(fault.startMs) ? [`▼ ${nameOf(fault)}`] : []),
    ...(isIn(fault.endMs) ? [`▲ ${nameOf(fault)} over`] : []),
  ];
}

/** What was done to whom. */
export function nameOf({ kind, node }: Pick<FaultRecord, 'kind' | 'node'>): string {
  return node === null ? kind : `${kind} ${node}`;
}

function average(seconds: readonly Second[]): Second {
  const of = (field: keyof Second): number =>
    seconds.reduce((sum, second) => sum + second[field], 0) / seconds.length;
  return {
    events: of('events'),
    pushbacks: of('pushbacks'),
    unknown: of('unknown'),
    unreached: of('unreached'),
  };
}

function faultLines(faults: readonly ChaosFault[]): string[] {
  return faults.map((fault) => {
    const recoveries = fault.recoveries.map(({ after, ms }) => `${secondsText(ms)} after ${after}`);
    const at = `${Math.round(fault.startMs / 1_000)} s`.padStart(6);
    const silence = `longest silence of a stream ${secondsText(fault.longestSilenceMs)}`;
    return `${at}  ${nameOf(fault).padEnd(16)} every stream accepts ${recoveries.join('; ')}; ${silence}`;
  });
}

function recoveryLines({ faults }: ChaosResult): string[] {
  const width = 40;
  return [
    `${'until every stream accepts, from'.padEnd(width)} times      P50      P99`,
    ...recoveryTimes(faults).map(
      ({ after, count, p50Ms, p99Ms }) =>
        `${after.padEnd(width)} ${String(count).padStart(5)} ${secondsText(p50Ms).padStart(8)} ${secondsText(p99Ms).padStart(8)}`,
    ),
  ];
}

function verdict({ report, stuck, seed, nodes, stores }: ChaosResult): string[] {
  const { counts, violations, violationCount } = report;
  const number = (value: number): string => value.toLocaleString('en-US');
  return [
    `seed ${seed}, ${nodes} nodes, ${stores} stores with ${counts.streams} streams`,
    `${number(counts.appendsAcknowledged)} appends acknowledged with ${number(counts.eventsAccepted)} events, ` +
      `${number(counts.appendsRefused)} refused, ${number(counts.appendsUnknown)} without an answer ` +
      `(of their events ${number(counts.unknownPresent)} are present and ${number(counts.unknownAbsent)} absent)`,
    ...violations.map(
      ({ rule, message, stream, lines }) => `  ${rule}: ${message} (${stream}, lines ${lines.join(' and ')})`,
    ),
    ...stuck,
    report.holds && stuck.length === 0
      ? 'Nothing acknowledged was lost, doubled or renumbered, and every stream came back.'
      : `${violationCount} contradictions, ${stuck.length} streams that did not come back in time.`,
  ];
}
