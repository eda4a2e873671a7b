import type { ChaosResult } from '../../bin/chaos/run-chaos.ts';
import type { Recovery } from '../../bin/chaos/inflict.ts';
import { faultKinds, planFaults } from '../../bin/chaos/plan-faults.ts';
import { recoveryTimes } from '../../bin/chaos/recovery-times.ts';
import { timelineSvg } from '../../bin/chaos/timeline-svg.ts';
import { timelineText } from '../../bin/chaos/timeline-text.ts';
import { checkHistory } from '../../domain/history/check-history.ts';

function take<Item>(items: Iterable<Item>, count: number): Item[] {
  const taken: Item[] = [];
  for (const item of items) {
    if (taken.length === count) break;
    taken.push(item);
  }
  return taken;
}

describe('the plan of faults', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(take(planFaults(7, 3), 50)).toEqual(take(planFaults(7, 3), 50));
    expect(take(planFaults(7, 3), 50)).not.toEqual(take(planFaults(8, 3), 50));
  });

  test('has each kind once in every round', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const kinds = take(planFaults(seed, 3), 2 * faultKinds.length).map(({ kind }) => kind);
      expect(new Set(kinds.slice(0, faultKinds.length))).toEqual(new Set(faultKinds));
      expect(new Set(kinds.slice(faultKinds.length))).toEqual(new Set(faultKinds));
    }
  });

  test('hits every node', () => {
    expect(new Set(take(planFaults(1, 3), 100).map(({ node }) => node))).toEqual(new Set([0, 1, 2]));
  });
});

function resultOf(recoveries: Recovery[], fields: Partial<ChaosResult> = {}): ChaosResult {
  const second = { events: 400, pushbacks: 0, unknown: 0, unreached: 0 };
  return {
    seed: 1,
    nodes: 3,
    stores: 2,
    seconds: [second, { events: 0, pushbacks: 3, unknown: 2, unreached: 1 }, second],
    faults: [
      { kind: 'kill', node: 'node-<2>', startMs: 900, endMs: 1_800, recoveries, longestSilenceMs: 1_200 },
    ],
    report: checkHistory([{ type: 'history', version: 1 }]),
    stuck: [],
    ...fields,
  };
}

const recovered = (ms: number | null): Recovery => ({ after: 'NATS is back', ms });

describe('times to recover', () => {
  test('are ranked, and one that never ended is the longest', () => {
    const of = (...times: (number | null)[]) => recoveryTimes(resultOf(times.map(recovered)).faults);
    expect(of(30, 10, 20)).toEqual([{ after: 'NATS is back', count: 3, p50Ms: 20, p99Ms: 30 }]);
    expect(of(null, 10, 20)).toEqual([{ after: 'NATS is back', count: 3, p50Ms: 20, p99Ms: null }]);
    expect(of()).toEqual([]);
  });
});

describe('the timeline', () => {
  test('as text has a line a second, marks faults and says what became of the run', () => {
    const text = timelineText(resultOf([recovered(1_500)]));
    expect(text).toMatch(/^ +0 s +400 █{40} .*▼ kill node-<2>$/m);
    expect(text).toMatch(/^ +1 s +0 +3\.0 +2\.0 +1\.0 +▲ kill node-<2> over$/m);
    expect(text).toContain('Nothing acknowledged was lost');
    expect(timelineText(resultOf([recovered(null)], { stuck: ['kill node-2: not …'] }))).toContain(
      '1 streams that did not come back in time',
    );
  });

  test('as a picture is well-formed and escapes names', () => {
    const svg = timelineSvg(resultOf([recovered(1_500)]));
    expect(svg).toContain('kill node-&lt;2&gt;');
    const open: string[] = [];
    for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
