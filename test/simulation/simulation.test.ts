import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describeFailure } from './describe-failure.ts';
import { type Sabotage, sabotages } from './sabotaged-event-log.ts';
import { simulate } from './simulation.ts';

/** Together a thousand seeds; in blocks, so that a long test shows that it goes on. */
const blocks = Array.from({ length: 10 }, (_, index) => ({ from: index * 100 + 1, to: index * 100 + 100 }));
const blockTimeoutMs = 120_000;
const tally = new Map<string, number>();

describe('a cluster keeps its promises through faults', () => {
  test.each(blocks)(
    'with the seeds $from to $to',
    async ({ from, to }) => {
      for (let seed = from; seed <= to; seed++) {
        const report = await simulate({ seed });
        if (report.broken.length > 0) throw new Error(describeFailure(report));
        for (const [what, count] of report.tally) tally.set(what, (tally.get(what) ?? 0) + count);
      }
    },
    blockTimeoutMs,
  );

  test('and these seeds had every fault and every outcome', () => {
    const expected = [
      ...['crash', 'restore', 'pause', 'leave', 'cut', 'forget', 'clock', 'outage'].map(
        (kind) => `fault: ${kind}`,
      ),
      ...['append', 'claim', 'findEvents', 'findVesEvents', 'findCommands', 'entityVersions'].flatMap(
        (operation) => [`${operation} failed, not saved`, `${operation} failed, but saved`],
      ),
      ...['appended', 'conflict', 'fenced', 'heads-moved'].map((outcome) => `append: ${outcome}`),
      ...['acknowledged', 'refused', 'unknown'].map((outcome) => `request: ${outcome}`),
      'message lost',
      'message duplicated',
    ];
    const rare = expected.filter((what) => (tally.get(what) ?? 0) < 20);
    expect(rare).toEqual([]);
  });
});

/** What breaks without each guard; anything else would be a fault of the simulator. */
const brokenBy = {
  'epoch-check': ['epochs-never-fall'],
  'expected-head-check': ['acknowledged-present', 'contiguous'],
  'duplicate-index': ['one-sequence-per-event'],
  'request-id': ['nothing-invented'],
} as const satisfies Record<Sabotage, readonly string[]>;

describe.each(sabotages)('without the %s', (sabotage) => {
  test(
    'a promise is broken within 200 seeds',
    async () => {
      for (let seed = 1; seed <= 200; seed++) {
        const report = await simulate({ seed, sabotage });
        if (report.broken.length === 0) continue;
        expect(report.broken.map(({ rule }) => rule)).toEqual(
          expect.arrayContaining([...brokenBy[sabotage]]),
        );
        expect(describeFailure(report, sabotage)).toContain(`--seed ${seed} --runs 1 --sabotage ${sabotage}`);
        return;
      }
      throw new Error('200 seeds held');
    },
    blockTimeoutMs,
  );
});

describe('a seed', () => {
  test('repeats its run step by step', async () => {
    const lines: string[] = [];
    const first = await simulate({ seed: 42, onTrace: (line) => lines.push(line) });
    const again: string[] = [];
    const second = await simulate({ seed: 42, onTrace: (line) => again.push(line) });
    expect(again).toEqual(lines);
    expect(second).toEqual(first);
    expect(first.steps).toBeGreaterThan(300);
  });

  test('tells its run from those of other seeds', async () => {
    const hashes = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) hashes.add((await simulate({ seed })).traceHash);
    expect(hashes.size).toBe(20);
  });

  test('repeats its run in another process', async () => {
    const { traceHash } = await simulate({ seed: 7 });
    const command = ['test/simulation/simulate.ts', '--seed', '7', '--runs', '1'];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    expect(stdout).toContain('seeds 7 to 7 hold');
    expect(stdout).toContain(`trace ${(traceHash >>> 0).toString(16).padStart(8, '0')}`);
  });

  test('that fails is reported with the command that replays it, and ends the program with 1', async () => {
    const command = ['test/simulation/simulate.ts', '--runs', '200', '--sabotage', 'duplicate-index'];
    const failed = await promisify(execFile)(process.execPath, command).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1 });
    expect((failed as { stderr: string }).stderr).toMatch(
      /seed \d+: [^]*one-sequence-per-event[^]*npm run simulate -- --seed \d+ --runs 1 --sabotage duplicate-index --verbose/,
    );
  });
});
