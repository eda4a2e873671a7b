/**
 * A history is what clients saw of the log: every call they made and what came back. These are its records, one a
 * line in a file (docs/history-format.md). Ids, streams and payload digests are texts that are only compared, so
 * the checker shares no code with what it judges.
 */
export type HistoryRecord = HeaderRecord | AppendRecord | HeadRecord | ReadRecord | ClaimRecord;

/** The version of the format that this code reads. */
export const historyVersion = 1;

/** Stands first, so that a file of another kind or of a later format is refused instead of misread. */
export interface HeaderRecord {
  readonly type: 'history';
  readonly version: typeof historyVersion;
}

/** What every call has. */
export interface CallRecord {
  /** Who called. A process makes one call at a time, so its records stand in the order of time. */
  readonly process: string;
  /** Microseconds of one monotonic clock that all processes of the history share. */
  readonly invokedUs: number;
  /** When the answer was there, or when the caller gave up waiting. */
  readonly completedUs: number;
  /** Any text that names the stream; the recorder of this project writes `tenant/store/world`. */
  readonly stream: string;
}

/** A request to append events, and what became of it as far as the caller knows. */
export type AppendRecord = AnsweredAppend | UnansweredAppend;

export interface AnsweredAppend extends CallRecord {
  readonly type: 'append';
  readonly outcome: 'acknowledged';
  /** In the order sent. */
  readonly events: readonly AnsweredEvent[];
  /** The stream's head after the request, where the answer says it. */
  readonly head?: number;
}

export interface UnansweredAppend extends CallRecord {
  readonly type: 'append';
  /**
   * `refused`: the answer says that nothing was stored (4xx, 503). `unknown`: a time-out, a lost connection, 504;
   * the events may be stored, or may still become so.
   */
  readonly outcome: 'refused' | 'unknown';
  readonly events: readonly SentEvent[];
}

export interface SentEvent {
  readonly id: string;
  /** A digest of the payload's bytes, made in the same way for appends and reads. */
  readonly payload: string;
}

export type AnsweredEvent = AcceptedEvent | StoredEvent | RefusedEvent;

/** This call stored the event. */
export interface AcceptedEvent extends SentEvent {
  readonly result: 'accepted';
  readonly sequence: number;
  readonly epoch?: number;
  /** The receipt as text; every receipt for one event must be the same. */
  readonly receipt?: string;
}

/** The event is in the log, put there by this call or by another: a repeat that was recognised. */
export interface StoredEvent extends SentEvent {
  readonly result: 'stored';
  readonly sequence: number;
  readonly receipt?: string;
}

/** The event was rejected on its own, and this call stored nothing of it. */
export interface RefusedEvent extends SentEvent {
  readonly result: 'refused';
}

/** A question for the head of a stream. */
export interface HeadRecord extends CallRecord {
  readonly type: 'head';
  readonly head: number;
  /** Asked after the last append had ended: the history holds the stream to exactly this head. */
  readonly final?: boolean;
}

/** What an owner was told when it claimed the stream; only a recorder inside the nodes can know. */
export interface ClaimRecord extends CallRecord {
  readonly type: 'claim';
  readonly epoch: number;
  /** The head that older owners left: what lies above it is of this epoch or a newer one. */
  readonly head: number;
}

/** A page of events. */
export interface ReadRecord extends CallRecord {
  readonly type: 'read';
  /** The first sequence asked for, from 1. */
  readonly from: number;
  readonly limit: number;
  readonly events: readonly ReadEvent[];
  /** Part of the complete reading after the last append had ended. */
  readonly final?: boolean;
}

export interface ReadEvent {
  readonly sequence: number;
  readonly id: string;
  readonly payload: string;
  readonly epoch?: number;
}
