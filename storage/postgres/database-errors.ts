import pg from 'pg';
import {
  AppendOutcomeUnknown,
  AppendRefused,
  InvariantBroken,
  LogUnavailable,
  SequencerError,
} from '../../domain/errors.ts';

/*
 * The one place where Postgres' error codes become ours. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */

/** Which batch hit which unique index, as far as the error says. */
export interface UniqueViolation {
  readonly constraint: string;
  /** Null when the server hides the values, which it does from roles that may not read the table. */
  readonly storeNumber: number | null;
}

/** Null unless the error is about a value that a unique index already holds. */
export function uniqueViolationOf(error: unknown): UniqueViolation | null {
  if (!(error instanceof pg.DatabaseError) || error.code !== '23505') return null;
  // "Key (store_number, event_id)=(7, 0190…) already exists.", in whatever language.
  const storeNumber = /\(store_number, \w+\)=\((\d+), /.exec(error.detail ?? '')?.[1];
  return {
    constraint: error.constraint ?? '',
    storeNumber: storeNumber === undefined ? null : Number(storeNumber),
  };
}

/**
 * Whether Postgres itself answered that the statement failed, so that it is certain to have left nothing behind.
 * When a session ends (class 57P, a protocol error, a crash), its last commit may have counted all the same.
 */
export function isRefusal(error: unknown): error is pg.DatabaseError {
  return (
    error instanceof pg.DatabaseError && error.code !== undefined && !/^(08|57P|58|XX|25P03)/.test(error.code)
  );
}

/** Whether another try of the same statement may go through: it failed for the state of the server, not its content. */
export function isPassing(error: pg.DatabaseError): boolean {
  return /^(40|53|55P03|57014)/.test(error.code ?? '') || isDemotion(error);
}

/** Whether an error says that the server is gone, silent or out of something, rather than what it thinks of a statement. */
export function isOutage(error: unknown): boolean {
  return !isRefusal(error) || (error.code ?? '').startsWith('53');
}

/** The server has become a standby: the primary is elsewhere, and only a new connection gets there. */
export function isDemotion(error: pg.DatabaseError): boolean {
  return error.code === '25006';
}

/** For statements that write nothing, and for claims, which may be repeated at will. */
export function toReadError(error: unknown, operation: string): SequencerError {
  if (error instanceof SequencerError) return error;
  if (isRefusal(error) && !isPassing(error)) return toInvariantBroken(error, operation);
  return new LogUnavailable(`${operation}: ${messageOf(error)}`, {}, { cause: error });
}

/** For appends that were sent. */
export function toAppendError(error: unknown): SequencerError {
  if (error instanceof SequencerError) return error;
  if (!isRefusal(error)) {
    return new AppendOutcomeUnknown(`append: ${messageOf(error)}`, {}, { cause: error });
  }
  return isPassing(error)
    ? new LogUnavailable(`append: ${error.message}`, { code: error.code }, { cause: error })
    : new AppendRefused(`append: ${error.message}`, factsOf(error), { cause: error });
}

/** A statement of ours that Postgres can't carry out: a constraint of the schema, or a fault in the statement. */
function toInvariantBroken(error: pg.DatabaseError, operation: string): InvariantBroken {
  return new InvariantBroken(`${operation}: ${error.message}`, factsOf(error), { cause: error });
}

function factsOf({ code, constraint, table, detail }: pg.DatabaseError): Record<string, unknown> {
  return { code, constraint, table, detail };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
