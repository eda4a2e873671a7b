import type {
  AnsweredAppend,
  AnsweredEvent,
  ClaimRecord,
  HeadRecord,
  HistoryRecord,
  ReadEvent,
  ReadRecord,
  UnansweredAppend,
} from '../../domain/history/record.ts';

/** Short spellings of history records; every test that needs another field overrides it. */

const stream = 't/s/legacy';

export const header: HistoryRecord = { type: 'history', version: 1 };

export function accepted(id: string, sequence: number, more: Partial<AnsweredEvent> = {}): AnsweredEvent {
  return { id, payload: `bytes of ${id}`, result: 'accepted', sequence, ...more };
}

export function stored(id: string, sequence: number): AnsweredEvent {
  return { id, payload: `bytes of ${id}`, result: 'stored', sequence };
}

export function refused(id: string): AnsweredEvent {
  return { id, payload: `bytes of ${id}`, result: 'refused' };
}

export function answered(
  process: string,
  [invokedUs, completedUs]: [number, number],
  events: readonly AnsweredEvent[],
  head?: number,
): AnsweredAppend {
  const call = { type: 'append', process, invokedUs, completedUs, stream, outcome: 'acknowledged' } as const;
  return head === undefined ? { ...call, events } : { ...call, events, head };
}

export function unanswered(
  process: string,
  [invokedUs, completedUs]: [number, number],
  outcome: 'refused' | 'unknown',
  ids: readonly string[],
): UnansweredAppend {
  const events = ids.map((id) => ({ id, payload: `bytes of ${id}` }));
  return { type: 'append', process, invokedUs, completedUs, stream, outcome, events };
}

export function headRead(
  process: string,
  [invokedUs, completedUs]: [number, number],
  head: number,
): HeadRecord {
  return { type: 'head', process, invokedUs, completedUs, stream, head };
}

export function claimed(
  process: string,
  [invokedUs, completedUs]: [number, number],
  { epoch, head }: { readonly epoch: number; readonly head: number },
): ClaimRecord {
  return { type: 'claim', process, invokedUs, completedUs, stream, epoch, head };
}

/** A page from sequence 1 with these events in order. */
export function page(
  process: string,
  [invokedUs, completedUs]: [number, number],
  ids: readonly string[],
  more: Partial<ReadRecord> = {},
): ReadRecord {
  const events = ids.map((id, index): ReadEvent => ({ sequence: index + 1, id, payload: `bytes of ${id}` }));
  return { type: 'read', process, invokedUs, completedUs, stream, from: 1, limit: 100, events, ...more };
}

export function finalPage(ids: readonly string[], more: Partial<ReadRecord> = {}): ReadRecord {
  return page('final', [1_000_000, 1_000_001], ids, { final: true, ...more });
}
