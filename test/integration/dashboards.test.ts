import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { dashboards } from '../../bench/dashboards/definitions.ts';
import { grafanaJson } from '../../bench/dashboards/grafana-json.ts';
import { exportedMetrics } from '../support/exported-metrics.ts';
import { metricsOf, promtool } from '../support/prometheus-rules.ts';

const root = join(import.meta.dirname, '../..');
const directory = join(root, 'docker/grafana/dashboards');
const files = readdirSync(directory);

interface GrafanaDashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly title: string;
    readonly datasource: { readonly uid: string };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}
const loaded = files.map(
  (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as GrafanaDashboard,
);
const expressions = loaded.flatMap(({ panels }) =>
  panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
);

test('the files are what "npm run docs:dashboards" writes', () => {
  const written = dashboards.map((dashboard) => [
    `${dashboard.uid.replace('sequencer-', '')}.json`,
    grafanaJson(dashboard),
  ]);
  const stored = files.map((name) => [name, readFileSync(join(directory, name), 'utf8')]);
  expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(written));
});

test('each has an id of its own, and every panel asks the Prometheus that is chosen', () => {
  expect(new Set(loaded.map(({ uid }) => uid)).size).toBe(dashboards.length);
  for (const { panels } of loaded) {
    for (const { title, datasource, targets } of panels) {
      expect({ title, uid: datasource.uid }).toEqual({ title, uid: '${datasource}' });
      expect(targets.length).toBeGreaterThan(0);
    }
  }
});

test('Prometheus can read every expression', () => {
  const rules = expressions.map((expr, index) => ({
    record: `panel:${index}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const folder = mkdtempSync(join(tmpdir(), 'sequencer-panels-'));
  try {
    const file = join(folder, 'panels.yml');
    writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }));
    promtool('check', 'rules', file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('every metric in them is exported by a running node', async () => {
  const exported = await exportedMetrics();
  const names = expressions.flatMap(metricsOf).filter((name) => name !== 'up');
  expect([...new Set(names)].filter((name) => !exported.has(name))).toEqual([]);
});

test('the provisioning names the folder and the source of the dashboards', () => {
  const read = (file: string): unknown =>
    parse(readFileSync(join(root, 'docker/grafana/provisioning', file), 'utf8'));
  expect(read('datasources/prometheus.yml')).toMatchObject({
    apiVersion: 1,
    datasources: [{ type: 'prometheus', url: expect.stringMatching(/^http/) as string }],
  });
  expect(read('dashboards/sequencer.yml')).toMatchObject({
    apiVersion: 1,
    providers: [{ type: 'file', options: { path: expect.stringMatching(/^\//) as string } }],
  });
});
