import type {
  AcceptedEvent,
  AnsweredAppend,
  HistoryRecord,
  ReadEvent,
  ReadRecord,
} from '../../domain/history/record.ts';
import type { HistoryRule } from '../../domain/history/rules.ts';

/** Changes the history in place so that it breaks a rule, or returns false where it has no place for that. */
export type Mutation = (history: Mutable<HistoryRecord>[], choose: Choose) => boolean;

/** One of the candidates, by the test's random number. */
type Choose = <Candidate>(candidates: readonly Candidate[]) => Candidate | undefined;

export type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

/** One fault of a log a mutation, and the rule that must catch it. */
export const mutations: Record<string, { readonly rule: HistoryRule; readonly mutate: Mutation }> = {
  'the last acknowledged events are lost': {
    rule: 'acknowledged-present',
    mutate: (history) => {
      const last = finalPages(history).at(-1);
      const event = last?.events.at(-1);
      if (last === undefined || event === undefined || acceptedAt(history, event.sequence) === undefined)
        return false;
      last.events.pop();
      return true;
    },
  },
  'an event in the middle is lost': {
    rule: 'contiguous',
    mutate: (history, choose) => {
      const last = finalPages(history).at(-1);
      if (last === undefined || last.events.length < 2) return false;
      last.events.splice(choose([...last.events.keys()].slice(0, -1)) ?? 0, 1);
      return true;
    },
  },
  'two neighbours change places': {
    rule: 'acknowledged-present',
    mutate: (history, choose) => {
      const pairs = finalEvents(history).flatMap((event, index, all) => {
        const next = all[index + 1];
        return next !== undefined && acceptedAt(history, event.sequence) !== undefined
          ? [[event, next] as const]
          : [];
      });
      const [first, second] = choose(pairs) ?? [];
      if (first === undefined || second === undefined) return false;
      [first.id, second.id] = [second.id, first.id];
      return true;
    },
  },
  "an acknowledged event's bytes change": {
    rule: 'acknowledged-present',
    mutate: (history, choose) => {
      const event = choose(acceptedEvents(history));
      if (event === undefined) return false;
      event.payload = 'other bytes';
      return true;
    },
  },
  'an event is stored a second time': {
    rule: 'one-sequence-per-event',
    mutate: (history, choose) => {
      const event = choose(finalEvents(history));
      const last = finalPages(history).at(-1);
      if (event === undefined || last === undefined) return false;
      last.events.push({ ...event, sequence: last.from + last.events.length });
      last.limit = last.events.length + 1;
      return true;
    },
  },
  'a refused event is stored': {
    rule: 'refused-absent',
    mutate: (history, choose) => {
      const event = choose(
        history.flatMap((record) =>
          record.type === 'append' && record.outcome === 'refused' ? record.events : [],
        ),
      );
      const last = finalPages(history).at(-1);
      if (event === undefined || last === undefined) return false;
      last.events.push({ ...event, sequence: last.from + last.events.length });
      last.limit = last.events.length + 1;
      return true;
    },
  },
  'an event is stored that nobody sent': {
    rule: 'nothing-invented',
    mutate: (history) => {
      const last = finalPages(history).at(-1);
      if (last === undefined || !history.some((record) => record.type === 'append')) return false;
      last.events.push({ id: 'ghost', payload: 'boo', sequence: last.from + last.events.length });
      last.limit = last.events.length + 1;
      return true;
    },
  },
  'a head lies below what was acknowledged before': {
    rule: 'head-covers-acknowledged',
    mutate: (history, choose) => {
      const candidates = history.flatMap((record) => {
        if (record.type !== 'head') return [];
        const before = history
          .filter((other) => other.type === 'append' && other.outcome === 'acknowledged')
          .filter((append) => append.completedUs < record.invokedUs)
          .flatMap((append) => sequencesOf(append));
        return before.length === 0 ? [] : [{ record, highest: Math.max(...before) }];
      });
      const candidate = choose(candidates);
      if (candidate === undefined) return false;
      candidate.record.head = candidate.highest - 1;
      return true;
    },
  },
  'a head falls for its reader': {
    rule: 'head-never-falls',
    mutate: (history, choose) => {
      const heads = history.filter((record) => record.type === 'head');
      const pairs = heads.flatMap((first) =>
        heads
          .filter((second) => second.process === first.process && second.invokedUs > first.completedUs)
          .filter((second) => second.head > 0)
          .map((second) => [first, second] as const),
      );
      const [first, second] = choose(pairs) ?? [];
      if (first === undefined || second === undefined) return false;
      first.head = second.head + 1;
      return true;
    },
  },
  'a later append gets lower sequences': {
    rule: 'real-time-order',
    mutate: (history, choose) => {
      const appends = history.filter(
        (record): record is Mutable<AnsweredAppend> =>
          record.type === 'append' && record.outcome === 'acknowledged' && acceptedIn(record).length > 0,
      );
      const earliest = Math.min(...appends.flatMap(sequencesOf));
      const above = appends.filter((append) => sequencesOf(append).every((sequence) => sequence > earliest));
      const moved = choose(above);
      if (moved === undefined) return false;
      Object.assign(moved, { process: 'moved', invokedUs: 1, completedUs: 2 });
      return true;
    },
  },
  'the events of a call are torn apart': {
    rule: 'call-in-order',
    mutate: (history, choose) => {
      const appends = history.filter(
        (record) => record.type === 'append' && record.outcome === 'acknowledged',
      );
      const append = choose(appends.filter((record) => acceptedIn(record).length > 1));
      const events = append === undefined ? [] : acceptedIn(append);
      const [first, second] = events;
      if (first === undefined || second === undefined) return false;
      [first.sequence, second.sequence] = [second.sequence, first.sequence];
      return true;
    },
  },
  'an old owner appends': {
    rule: 'epochs-never-fall',
    mutate: (history, choose) => {
      const events = finalEvents(history).filter((event) => event.sequence > 1);
      const event = choose(events);
      if (event === undefined) return false;
      event.epoch = 0;
      return true;
    },
  },
  'a receipt is forged': {
    rule: 'receipts-hold',
    mutate: (history, choose) => {
      const event = choose(acceptedEvents(history));
      if (event === undefined) return false;
      event.receipt = 'forged';
      return true;
    },
  },
  'a reader sees another event': {
    rule: 'reads-agree',
    mutate: (history, choose) => {
      const pages = history.filter((record) => record.type === 'read' && record.final !== true);
      const event = choose(pages.flatMap((page) => (page as Mutable<ReadRecord>).events));
      if (event === undefined) return false;
      event.payload = 'other bytes';
      return true;
    },
  },
};

function finalPages(history: Mutable<HistoryRecord>[]): Mutable<ReadRecord>[] {
  return history.filter((record) => record.type === 'read' && record.final === true) as Mutable<ReadRecord>[];
}

function finalEvents(history: Mutable<HistoryRecord>[]): Mutable<ReadEvent>[] {
  return finalPages(history).flatMap((page) => page.events);
}

function acceptedIn(record: Mutable<HistoryRecord>): Mutable<AcceptedEvent>[] {
  if (record.type !== 'append' || record.outcome !== 'acknowledged') return [];
  return record.events.filter((event) => event.result === 'accepted');
}

function acceptedEvents(history: Mutable<HistoryRecord>[]): Mutable<AcceptedEvent>[] {
  return history.flatMap(acceptedIn);
}

function acceptedAt(history: Mutable<HistoryRecord>[], sequence: number): Mutable<AcceptedEvent> | undefined {
  return acceptedEvents(history).find((event) => event.sequence === sequence);
}

function sequencesOf(record: Mutable<HistoryRecord>): number[] {
  if (record.type !== 'append' || record.outcome !== 'acknowledged') return [];
  return record.events.flatMap((event) => (event.result === 'refused' ? [] : [event.sequence]));
}
