import { startNodeProcess } from '../../bin/driver/node-process.ts';
import { createTestDatabase } from './postgres.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const key = 'ss_exported_metrics_0123456789abcdef0123456789';

/**
 * The names of all series that a running node declares at `/metrics`, those of its histograms with `_bucket`, `_sum` and
 * `_count`.
 */
export async function exportedMetrics(): Promise<ReadonlySet<string>> {
  const database = await createTestDatabase();
  const directory = mkdtempSync(join(tmpdir(), 'sequencer-exported-metrics-'));
  const node = await startNodeProcess({
    env: { DATABASE_URL: database.url, DATA_DIR: directory, BOOTSTRAP_ADMIN_API_KEY: key },
  });
  try {
    const answer = await fetch(`${node.url}/metrics`, { headers: { authorization: `ApiKey ${key}` } });
    if (!answer.ok) throw new Error(`/metrics answers ${answer.status}`);
    return declaredNames(await answer.text());
  } finally {
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
    await database.drop();
  }
}

function declaredNames(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type !== 'histogram') names.add(name!);
    else for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`);
  }
  return names;
}
