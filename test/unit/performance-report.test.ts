import { setTimeout as sleep } from 'node:timers/promises';
import { barChartSvg } from '../../bench/charts/bar-chart-svg.ts';
import { flameChartSvg } from '../../bench/charts/flame-chart-svg.ts';
import { compareReports, renderComparison } from '../../bench/performance/compare.ts';
import { renderPage } from '../../bench/performance/page/page.ts';
import type { Part } from '../../bench/performance/part.ts';
import { readReport } from '../../bench/performance/read-report.ts';
import {
  figure,
  type Findings,
  judge,
  type PerformanceReport,
  type Section,
} from '../../bench/performance/report.ts';
import { runParts } from '../../bench/performance/run-parts.ts';
import { openZipf } from '../../bench/performance/zipf.ts';
import { textTable } from '../../bench/report/text-table.ts';

const nothing: Findings = { figures: [], targets: [], tables: [], charts: [], notes: [] };
const machine = { cpu: 'a processor', cores: 2, memoryGb: 24, system: 'Linux 6', node: 'v24', commit: 'abc' };

function makeReport(sections: readonly Section[]): PerformanceReport {
  const startedAt = '2026-01-31T12:00:00.000Z';
  return { format: 1, mode: 'full', startedAt, seconds: 60, machine, postgres: '18.4', sections };
}

function makeSection(fields: Partial<Section>): Section {
  return {
    ...{ name: 'ingest', title: 'Ingest', status: 'measured', error: null },
    ...{ measuredAt: '2026-01-31T12:00:00.000Z', mode: 'full', seconds: 1 },
    ...nothing,
    ...fields,
  };
}

test('a part that was kept from before the run is named with its time, even from the same day', () => {
  const kept = makeSection({ name: 'tiers', title: 'Tiers', measuredAt: '2026-01-31T11:10:00.000Z' });
  const page = renderPage(makeReport([makeSection({}), kept]), 'charts');
  expect(page).toMatch(/^Kept from an earlier run, .*: Tiers \(2026-01-31 11:10\)\.$/m);
  expect(renderPage(makeReport([makeSection({})]), 'charts')).not.toContain('Kept from');
});

describe('parts', () => {
  const run = (parts: readonly Part[]): Promise<Section[]> =>
    runParts(parts, {
      mode: 'tiny',
      postgres: { url: 'postgres://nowhere', pid: 0, stop: () => Promise.resolve() },
      onStep: () => undefined,
      onDone: () => undefined,
    });
  const partOf = (name: string, measure: Part['measure']): Part => ({
    name,
    title: name,
    seconds: 1,
    measure,
  });

  test('one that fails says why, and the others are measured', async () => {
    const broken = partOf('broken', () => Promise.reject(new Error('no node would start')));
    const whole = partOf('whole', () => Promise.resolve(nothing));
    expect(await run([broken, whole])).toMatchObject([
      { name: 'broken', status: 'failed', error: 'no node would start' },
      { name: 'whole', status: 'measured', error: null },
    ]);
  });

  test('what one opened is closed when it fails, the last first, even if that fails too', async () => {
    const closed: string[] = [];
    const broken = partOf('broken', (bench) => {
      bench.release(() => closed.push('first'));
      bench.release(() => Promise.reject(new Error('it will not close')));
      bench.release(() => closed.push('last'));
      return sleep(1).then(() => Promise.reject(new Error('broken')));
    });
    await run([broken]);
    expect(closed).toEqual(['last', 'first']);
  });

  test('a number that could not be had is left out, and its target is not met', async () => {
    const target = {
      item: 1,
      what: 'w',
      limit: 'at least',
      wanted: 1,
      measured: Number.NaN,
      unit: 'x',
    } as const;
    const odd = partOf('odd', () =>
      Promise.resolve({
        ...nothing,
        figures: [figure('a.b', Infinity, 'ms', 'lower')],
        targets: [judge(target)],
      }),
    );
    const [section] = await run([odd]);
    expect(section).toMatchObject({
      figures: [],
      targets: [{ met: false, note: expect.any(String) as string }],
    });
  });
});

test('a report reads back as it was written, and what is none is refused with the fields that do not fit', () => {
  const report = makeReport([makeSection({ figures: [figure('a.b', 1, 'ms', 'lower', 2)] })]);
  expect(readReport(JSON.stringify(report))).toEqual(report);
  expect(() => readReport(JSON.stringify({ ...report, mode: 'long' }))).toThrow('/mode');
  expect(() => readReport('{}')).toThrow('no performance report');
});

test('the page names failed parts, targets with their outcome, and every published figure', () => {
  const target = {
    item: 1,
    what: 'events a second',
    limit: 'at least',
    wanted: 100,
    unit: 'events/s',
  } as const;
  const page = renderPage(
    makeReport([
      makeSection({
        figures: [figure('ingest.rate', 150, 'events/s', 'higher', 100)],
        targets: [judge({ ...target, measured: 150 }), judge({ ...target, measured: 50, firm: false })],
      }),
      makeSection({ name: 'cluster', title: 'Cluster', status: 'failed', error: 'no nats-server\nat …' }),
    ]),
    'charts',
  );
  expect(page).toContain('- **Cluster**: no nats-server\n');
  expect(page).toContain('1 of 2 targets are met');
  expect(page).toContain('not met (stretch)');
  expect(page).toMatch(/`ingest\.rate` \| +100 \| +150 \| events\/s \| 1\.5 ×/);
});

describe('comparing reports', () => {
  const reportOf = (rate: number, p50: number): PerformanceReport =>
    makeReport([
      makeSection({
        figures: [figure('a.rate', rate, 'events/s', 'higher'), figure('a.p50_ms', p50, 'ms', 'lower')],
      }),
    ]);

  test('tells by how much each figure is better, whichever way better is', () => {
    const { changes } = compareReports(reportOf(100, 10), reportOf(200, 5));
    expect(changes.map(({ timesBetter, isBeyondNoise }) => [timesBetter, isBeyondNoise])).toEqual([
      [2, true],
      [2, true],
    ]);
  });

  test('marks what is worse beyond the noise, and nothing else', () => {
    const text = renderComparison(compareReports(reportOf(100, 10), reportOf(95, 20)));
    expect(text).toMatch(/a\.p50_ms .* WORSE/);
    expect(text).not.toMatch(/a\.rate .* (WORSE|better)/);
    expect(text).toContain('of 2 figures 0 are better and 1 worse');
  });

  test('warns of another machine, and names what only one of them has', () => {
    const other = { ...makeReport([]), machine: { ...machine, cores: 64 } };
    const { cautions, onlyBefore } = compareReports(reportOf(1, 1), other);
    expect(cautions).toHaveLength(1);
    expect(onlyBefore).toEqual(['a.rate', 'a.p50_ms']);
  });
});

test('numbers stand on the right of a table, words on the left', () => {
  const rows = [
    ['name', 'count'],
    ['one', '1,000'],
    ['three', '5'],
  ];
  expect(textTable(rows)).toEqual([
    '| name  | count |',
    '| ----- | ----: |',
    '| one   | 1,000 |',
    '| three |     5 |',
  ]);
});

test('charts hold what they are given, escaped', () => {
  const head = { name: 'n', title: 'a < b', says: 'x & y' };
  const groups = [{ name: 'group', bars: [{ value: 5, mark: 7 }] }];
  const bars = {
    kind: 'bars',
    ...head,
    unit: 'ms',
    series: ['s'],
    markName: 'm',
    levels: [],
    groups,
  } as const;
  expect(barChartSvg(bars)).toContain('a &lt; b');
  const root = { name: 'root', origin: 'project', micros: 10, calls: [] } as const;
  expect(flameChartSvg({ kind: 'flame', ...head, root })).toContain('<title>root: 100.0 %</title>');
});

test('by Zipf, the first of things is picked twice as often as the second', () => {
  let seed = 0;
  const pick = openZipf(100, () => (seed = (seed + 0.618_033_988_75) % 1));
  const counts = new Map<number, number>();
  for (let turn = 0; turn < 20_000; turn++) {
    const picked = pick();
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  expect(counts.get(0)! / counts.get(1)!).toBeCloseTo(2, 0);
  expect(Math.max(...counts.keys())).toBe(99);
});
