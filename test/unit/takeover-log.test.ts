import type { Takeover } from '../../actors/takeovers.ts';
import { TakeoverLog } from '../../bin/takeover-log.ts';
import { ManualClock } from '../support/manual-clock.ts';

function takeover(from: string, durationMs: number): Takeover {
  return { from, durationMs } as Takeover;
}

test('the takeovers of some seconds are one line at info, and each of them one at debug', () => {
  const clock = new ManualClock();
  const lines: [string, object][] = [];
  const log = {
    info: (fields: object) => void lines.push(['info', fields]),
    debug: (fields: object) => void lines.push(['debug', fields]),
  };
  const takeovers = new TakeoverLog(log as never, clock);
  takeovers.note(takeover('node-1', 12.4));
  takeovers.note(takeover('node-1', 40.6));
  takeovers.note(takeover('node-2', 7));
  expect(lines.map(([level]) => level)).toEqual(['debug', 'debug', 'debug']);
  clock.advance(5_000);
  expect(lines[3]).toEqual(['info', { stores: 3, longestMs: 41, from: { 'node-1': 2, 'node-2': 1 } }]);
  clock.advance(60_000);
  expect(lines).toHaveLength(4);
  takeovers.note(takeover('node-3', 1));
  clock.advance(5_000);
  expect(lines[5]).toEqual(['info', { stores: 1, longestMs: 1, from: { 'node-3': 1 } }]);
});
