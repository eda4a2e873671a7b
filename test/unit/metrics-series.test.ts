import { Registry } from 'prom-client';
import { HttpMetrics } from '../../telemetry/metrics/http.ts';
import { SeriesRegistry, seriesMax } from '../../telemetry/metrics/series.ts';

function open() {
  const registry = new Registry();
  return { registry, series: new SeriesRegistry(registry) };
}

test('a histogram counts each value in every bucket that it does not exceed, and beyond all in +Inf', async () => {
  const { registry, series } = open();
  const latency = series.histogram('latency', 'Of something', [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) latency.observe(value);
  const text = await registry.metrics();
  expect(text).toContain(
    [
      '# TYPE latency histogram',
      'latency_bucket{le="0.1"} 2',
      'latency_bucket{le="1"} 3',
      'latency_bucket{le="+Inf"} 4',
      'latency_sum 7.65',
      'latency_count 4',
    ].join('\n'),
  );
});

test('label sets beyond the bound share one series, and are counted', async () => {
  const { registry, series } = open();
  const family = series.counters('things', 'By kind', ['kind']);
  for (let kind = 0; kind < seriesMax + 5; kind++) family.with(String(kind)).inc();
  family.with('0').inc();
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('things{'));
  expect(lines).toHaveLength(seriesMax + 1);
  expect(lines).toContain('things{kind="0"} 2');
  expect(lines).toContain('things{__overflow__="true"} 5');
  expect(await registry.metrics()).toContain('sequencer_metrics_cardinality_overflow 5');
});

test('values of labels are escaped as Prometheus reads them', async () => {
  const { registry, series } = open();
  series.counters('things', 'By kind', ['kind']).with('a "quote"\nand a \\').inc();
  expect(await registry.metrics()).toContain(String.raw`things{kind="a \"quote\"\nand a \\"} 1`);
});

test('a gauge without a value has no series', async () => {
  const { registry, series } = open();
  let value: number | null = null;
  series.gauge('level', 'Of something', () => value);
  expect(await registry.metrics()).not.toContain('\nlevel ');
  value = 3;
  expect(await registry.metrics()).toContain('\nlevel 3');
});

test('what clients make up, paths and methods alike, makes no series of its own', async () => {
  const { registry, series } = open();
  const http = new HttpMetrics(series);
  for (const method of ['BREW', 'WHEN', 'GET']) {
    http.answered({
      method,
      template: null,
      status: 404,
      durationMs: 2,
      requestBytes: 0,
      responseBytes: 0,
    });
  }
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('sequencer_http_requests_total{'));
  expect(lines).toEqual([
    'sequencer_http_requests_total{method="other",path="unmatched",status="404"} 2',
    'sequencer_http_requests_total{method="GET",path="unmatched",status="404"} 1',
  ]);
});
