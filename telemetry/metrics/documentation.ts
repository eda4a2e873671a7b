import type { Metrics } from '../metrics.ts';
import { absentNames } from './absent.ts';
import { type SeriesFacts, seriesMax, standardBuckets } from './series.ts';

/** docs/metrics.md, from what a node registers. */
export function metricsDocs({ areas }: Pick<Metrics, 'areas'>): string {
  return `${[
    '# Metrics',
    '<!-- Written by `npm run docs:metrics` from telemetry/; edit the definitions there. -->',
    '`GET /metrics` answers administrators in the text format of Prometheus, on every node, also on one without a gateway. ' +
      'Each node tells of itself alone: sum counters and gauges over `instance`, and take the maximum of what is marked ' +
      '*of the database*, which every node with the commitment service reads for itself.',
    [
      '- Counters have no `_total` unless the name ends so, and are there from the start, at 0; those with labels from their ' +
        'first use on.',
      '- Durations are in seconds, sizes in bytes. `sequencer_pool_utilization` is a percent from 0 to 100, not a ratio: alert on ' +
        '`> 90`.',
      `- Every histogram has the buckets ${standardBuckets.join(' ')}; those of counts and sizes have larger ones besides.`,
      '- No label names a tenant, a store or a stream. `path` is the route as the table of routes has it, with `:name` for ' +
        'parameters, and `unmatched` for all paths without a route; `status` has three digits.',
      `- A name has at most ${seriesMax} label sets; what is beyond them shares one with \`__overflow__="true"\`, and ` +
        '`sequencer_metrics_cardinality_overflow` counts how often.',
      '- Beside these there are the metrics of the process by prom-client: `process_*` and `nodejs_*`, among them ' +
        '`process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds` and, for the delay of the event loop, ' +
        '`nodejs_eventloop_lag_p99_seconds` (since the scrape before, as monitorEventLoopDelay of Node has it).',
    ].join('\n'),
    ...areas.flatMap(({ title, series }) => [`## ${title}`, table(series)]),
    '## What is not there',
    'The reference has these names in its source; here nothing could ever move them.',
    absentNames
      .map(({ names, reason }) => `- ${names.map((name) => `\`${name}\``).join(', ')}: ${reason}.`)
      .join('\n'),
  ].join('\n\n')}\n`;
}

function table(series: readonly SeriesFacts[]): string {
  return [
    '| name | type | labels | meaning |',
    '| --- | --- | --- | --- |',
    ...series.map(
      ({ name, kind, labels, help }) =>
        `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help}. |`,
    ),
  ].join('\n');
}
