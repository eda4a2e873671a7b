import { readFileSync } from 'node:fs';
import { openMetrics } from '../../bin/metrics.ts';
import { absentNames } from '../../telemetry/metrics/absent.ts';
import { metricsDocs } from '../../telemetry/metrics/documentation.ts';
import { referenceNames } from '../support/reference-metrics.ts';

const metrics = openMetrics();

test('docs/metrics.md says what a node registers (npm run docs:metrics writes it)', () => {
  const written = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  expect(written).toBe(metricsDocs(metrics));
});

test('every name of the reference is registered with its type, or said to be absent', () => {
  const registered = new Map(
    metrics.areas.flatMap(({ series }) => series.map(({ name, kind }) => [name, kind])),
  );
  const absent = new Set(absentNames.flatMap(({ names }) => names));
  for (const { name, kind } of referenceNames) {
    if (absent.has(name)) expect(registered.has(name)).toBe(false);
    else if (kind === null) expect(registered.has(name) ? name : `no ${name}`).toBe(name);
    else expect(`${name} ${registered.get(name)}`).toBe(`${name} ${kind}`);
  }
});
