import { Errors } from 'moleculer';
import { type ErrorKind, Pushback, SequencerError } from '../domain/errors.ts';

/** What there is to know about an error, wherever it was thrown. */
export interface ErrorReading {
  readonly kind: ErrorKind;
  /** Of our taxonomy, or of the broker (`REQUEST_TIMEOUT`, `SERVICE_NOT_FOUND` …). */
  readonly code: string;
  readonly message: string;
  /** When to try again; only where the same request may succeed then. */
  readonly retryAfterSecs?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * The form in which our errors cross to another node: the broker rebuilds only its own classes there, but keeps
 * `type` (our code), `retryable` and `data` (our kind and facts). An error that is not ours is left as it is.
 */
export function toBrokerError(error: unknown): Error {
  if (!(error instanceof SequencerError)) return asError(error);
  const Class = retryableKinds.has(error.kind) ? Errors.MoleculerRetryableError : Errors.MoleculerError;
  const retryAfterSecs = retryAfterOf(error);
  const brokerError = new Class(error.message, httpCodes[error.kind], error.code, {
    ...error.data,
    kind: error.kind,
    ...(retryAfterSecs !== undefined && { retryAfterSecs }),
  });
  brokerError.cause = error;
  return brokerError;
}

/** Reads an error of ours, one that crossed nodes, or one of the broker's own; null when it is none of these. */
export function readError(error: unknown): ErrorReading | null {
  if (error instanceof SequencerError) {
    const { kind, code, message, data } = error;
    return withRetryAfter({ kind, code, message, data }, retryAfterOf(error));
  }
  if (!(error instanceof Errors.MoleculerError)) return null;
  const { type: code, message } = error;
  const { kind, retryAfterSecs, ...data } = asRecord(error.data);
  if (isErrorKind(kind)) {
    const given = typeof retryAfterSecs === 'number' ? retryAfterSecs : undefined;
    return withRetryAfter({ kind, code, message, data }, given);
  }
  const brokerKind = brokerKinds.get(code);
  if (brokerKind === undefined) return null;
  return withRetryAfter(
    { kind: brokerKind, code, message, data: asRecord(error.data) },
    brokerKind === 'pushback' ? retryAfterDefaultSecs : undefined,
  );
}

const retryAfterDefaultSecs = 1;

/** Retryable in the broker's sense: sending the same call again, somewhere, is right. */
const retryableKinds: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['pushback', 'fenced']);

/** For tools that look at the broker; the gateway finds its own status from the kind and the code. */
const httpCodes: Readonly<Record<ErrorKind, number>> = {
  rejected: 400,
  pushback: 503,
  fenced: 503,
  unknown: 504,
  corrupt: 500,
};

/**
 * What the broker's own errors mean. `REQUEST_REJECTED` comes when a node disappears while a call to it is under way,
 * so the call may have taken effect, as with a time-out; `REQUEST_SKIPPED` comes before a call is sent.
 */
const brokerKinds: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ['REQUEST_TIMEOUT', 'unknown'],
  ['REQUEST_REJECTED', 'unknown'],
  ['REQUEST_SKIPPED', 'pushback'],
  ['SERVICE_NOT_FOUND', 'pushback'],
  ['SERVICE_NOT_AVAILABLE', 'pushback'],
  ['QUEUE_FULL', 'pushback'],
  ['MAX_CALL_LEVEL', 'pushback'],
]);

function retryAfterOf(error: SequencerError): number | undefined {
  if (error instanceof Pushback) return error.retryAfterSecs;
  return error.kind === 'fenced' ? retryAfterDefaultSecs : undefined;
}

function withRetryAfter(reading: ErrorReading, retryAfterSecs: number | undefined): ErrorReading {
  return retryAfterSecs === undefined ? reading : { ...reading, retryAfterSecs };
}

function isErrorKind(value: unknown): value is ErrorKind {
  return typeof value === 'string' && Object.hasOwn(httpCodes, value);
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Errors.MoleculerError(String(value), 500, 'UNEXPECTED');
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
