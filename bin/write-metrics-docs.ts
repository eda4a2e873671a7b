import { writeFile } from 'node:fs/promises';
import { metricsDocs } from '../telemetry/metrics/documentation.ts';
import { openMetrics } from './metrics.ts';

await writeFile(new URL('../docs/metrics.md', import.meta.url), metricsDocs(openMetrics()));
