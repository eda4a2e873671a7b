import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultKinds } from '../../bin/chaos/plan-faults.ts';
import { runChaos } from '../../bin/chaos/run-chaos.ts';
import { timelineSvg } from '../../bin/chaos/timeline-svg.ts';
import { timelineText } from '../../bin/chaos/timeline-text.ts';
import { startCluster } from '../../bin/cluster/cluster.ts';

/** Faults may begin for this long, after which what has begun is finished: about two minutes in all. */
const durationMs = 75_000;

test('clients of a cluster that is killed, paused and cut off in turn lose nothing, and are served again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sequencer-chaos-'));
  chmodSync(folder, 0o755);
  const cluster = await startCluster({ dataDir: join(folder, 'cluster') });
  try {
    const historyPath = join(folder, 'history.jsonl');
    const result = await runChaos(cluster, { seed: 20_260_131, durationMs, historyPath });
    console.log(timelineText(result));

    expect(result.report.violations.slice(0, 5)).toEqual([]);
    expect(result.stuck).toEqual([]);
    expect(new Set(result.faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
    // The faults must have met work: else nothing was tested.
    const { appendsAcknowledged, appendsUnknown, appendsRefused } = result.report.counts;
    expect(appendsAcknowledged).toBeGreaterThan(200);
    expect(appendsUnknown + appendsRefused).toBeGreaterThan(5);
    expect(result.report.checks['receipts-hold']).toBeGreaterThan(50);
    expect(timelineSvg(result)).toContain('rolling restart');
  } finally {
    await cluster.stop();
  }
  rmSync(folder, { recursive: true }); // Only after a success: else the history and the logs tell what happened.
}, 900_000);
