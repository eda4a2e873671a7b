import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { PrometheusServer } from '../bin/driver/prometheus-server.ts';
import { type Chart, pictureSvg } from './dashboards/chart-svg.ts';
import { type Dashboard, dashboards, type Panel } from './dashboards/definitions.ts';
import { grafanaJson } from './dashboards/grafana-json.ts';
import { runLoad, type Span } from './dashboards/run-load.ts';

const program = new Command('dashboards')
  .description(
    'Writes docker/grafana/dashboards/*.json from bench/dashboards/definitions.ts. With --draw it also runs a cluster under ' +
      'load beside a Prometheus, asks it for every panel, and draws docs/dashboards/*.svg.',
  )
  .option('--draw', 'run a cluster and draw what the panels show')
  .option('--seconds <count>', 'how long the run takes', Number, 90);

const root = join(import.meta.dirname, '..');
const stepSecs = 1;
/** What Grafana would put in with a scrape each second: four of them. */
const rateInterval = '5s';

const { draw = false, seconds } = program.parse().opts<{ draw?: boolean; seconds: number }>();
for (const dashboard of dashboards) {
  writeFileSync(join(root, `docker/grafana/dashboards/${fileOf(dashboard)}.json`), grafanaJson(dashboard));
}
if (draw) await runLoad(seconds, drawAll);

async function drawAll(prometheus: PrometheusServer, span: Span): Promise<void> {
  for (const dashboard of dashboards) {
    const charts: Chart[] = [];
    for (const panel of dashboard.panels) charts.push(await chartOf(prometheus, panel, span));
    const picture = pictureSvg({
      title: dashboard.title,
      subtitle: `Three nodes on a machine that others use too, ${seconds} s under load; node-2 leaves in the middle and comes back`,
      ...span,
      charts,
    });
    writeFileSync(join(root, `docs/dashboards/${fileOf(dashboard)}.svg`), picture);
  }
}

async function chartOf(prometheus: PrometheusServer, panel: Panel, span: Span): Promise<Chart> {
  const lines: Chart['lines'][number][] = [];
  for (const [legend, expression] of panel.lines) {
    const query = expression.replaceAll('$__rate_interval', rateInterval);
    for (const { labels, points } of await prometheus.queryRange(query, { ...span, stepSecs })) {
      lines.push({
        name: legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? ''),
        points,
      });
    }
  }
  return { ...panel, lines };
}

/** `overview` of `sequencer-overview`. */
function fileOf({ uid }: Dashboard): string {
  return uid.replace('sequencer-', '');
}
