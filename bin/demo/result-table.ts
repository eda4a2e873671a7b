import type { ReplayResult } from './replay.ts';

/** What the demo measured and checked, as a small table, and every contradiction below it. */
export function describeResult(result: ReplayResult, events: number, stores: number): string {
  const { appendSecs, readSecs, payloadBytes, latencyUs, report } = result;
  const megabytes = payloadBytes / 1_000_000;
  const ms = (percentile: number): string =>
    `${(latencyUs.getValueAtPercentile(percentile) / 1_000).toFixed(1)} ms`;
  const wrong = [
    ...report.violations.map(({ rule, message, stream }) => `  ${rule}: ${message} (${stream})`),
    ...(result.hashesWrong > 0 ? [`  ${result.hashesWrong} payload hashes differ`] : []),
    ...(result.hashesChecked === events
      ? []
      : [`  ${result.hashesChecked} of ${events} events were read back`]),
  ];
  const rows: [string, string][] = [
    ['events', `${wholeNumber(events)} in ${stores} streams`],
    ['bytes', `${megabytes.toFixed(1)} MB of payload, ${wholeNumber(payloadBytes / events)} a payload`],
    [
      'appended',
      `${wholeNumber(events / appendSecs)} events/s (${(megabytes / appendSecs).toFixed(1)} MB/s)`,
    ],
    ['latency', `P50 ${ms(50)}   P95 ${ms(95)}   P99 ${ms(99)}   (requests of up to 50 events)`],
    ['read back', `${wholeNumber(events / readSecs)} events/s`],
    ['sent again', `${result.pushbacks} requests`],
    [
      'checked',
      `${wholeNumber(report.checks['acknowledged-present'])} events: sequence, id and every byte of the payload`,
    ],
    [
      '',
      `${wholeNumber(result.hashesChecked)} payload hashes, ${wholeNumber(report.checks['real-time-order'])} orders in time`,
    ],
    ['result', wrong.length === 0 ? 'all of it holds' : `${wrong.length} contradictions`],
  ];
  return ['', ...rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`), ...wrong].join('\n');
}

export function wholeNumber(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
