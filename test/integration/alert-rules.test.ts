import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exportedMetrics } from '../support/exported-metrics.ts';
import {
  metricsOf,
  promtool,
  readRuleCases,
  readRules,
  rulesDirectory,
} from '../support/prometheus-rules.ts';

const ruleFiles = ['alerts.yml', 'slo.yml'];
const rules = ruleFiles.flatMap(readRules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const root = join(import.meta.dirname, '../..');

/** Of node_exporter, and the one that Prometheus makes itself. */
const othersMetrics = new Set([
  'node_cpu_seconds_total',
  'node_filesystem_avail_bytes',
  'node_filesystem_size_bytes',
  'node_memory_MemAvailable_bytes',
  'node_memory_MemTotal_bytes',
  'node_timex_offset_seconds',
  'up',
]);

test('promtool accepts the rules and the configuration', () => {
  promtool('check', 'rules', ...ruleFiles.map((file) => join(rulesDirectory, file)));
  promtool('check', 'config', '--syntax-only', join(rulesDirectory, 'prometheus.yml'));
});

test('the rules fire and keep silent as their cases say', () => {
  promtool('test', 'rules', ...readRuleCases().map(({ file }) => file));
}, 180_000);

test('every alert has a case that fires it and one that keeps it silent', () => {
  const cases = readRuleCases().flatMap(({ cases: some }) => some);
  const lacks = alerts.flatMap(({ alert }) => {
    const expectations = cases
      .flatMap(({ promql_expr_test: expressions }) => expressions)
      .filter(({ expr }) => expr.includes(`alertname="${alert}",alertstate="firing"`));
    const fires = expectations.some(({ exp_samples: samples }) => samples.length > 0);
    const isSilent = expectations.some(({ exp_samples: samples }) => samples.length === 0);
    return [...(fires ? [] : [`${alert} fires`]), ...(isSilent ? [] : [`${alert} is silent`])];
  });
  expect(lacks).toEqual([]);
});

test('every alert says how bad it is, what happens, and where its page is', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect({ alert, severity: labels?.severity }).toEqual({
      alert,
      severity: expect.stringMatching(/^(critical|warning)$/) as string,
    });
    expect({ alert, ...annotations }).toEqual({
      alert,
      summary: expect.stringMatching(/\S/) as string,
      description: expect.stringMatching(/\S/) as string,
      runbook_url: expect.stringMatching(/^docs\/runbook\/[a-z-]+\.md$/) as string,
    });
    const page = annotations!.runbook_url!;
    expect({ alert, page, isThere: existsSync(join(root, page)) }).toEqual({ alert, page, isThere: true });
  }
});

test('every metric in the rules is exported by a running node, recorded, or one of node_exporter', async () => {
  const exported = await exportedMetrics();
  const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])));
  const unknown = rules
    .flatMap(({ expr }) => metricsOf(expr))
    .filter((name) => !exported.has(name) && !recorded.has(name) && !othersMetrics.has(name));
  expect([...new Set(unknown)]).toEqual([]);
});
