/**
 * The chain of time limits: statement < append < broker call < request. Each is shorter than the next, so that the
 * one that knows most about what happened gives the answer, and nobody waits for a reply that can't come.
 */
export interface Deadlines {
  /** How long one node waits for the answer of another to one call. */
  readonly brokerCallTimeoutMs: number;
  /** How long Postgres may work on the statement of an append. */
  readonly appendStatementTimeoutMs: number;
}

/** A tenth of the request, at most a second, is kept for turning the answer of a call into a response. */
export function brokerCallTimeoutMs(requestTimeoutSecs: number): number {
  const requestMs = requestTimeoutSecs * 1_000;
  return requestMs - Math.min(1_000, requestMs / 10);
}

/** The longest append that still leaves its node a tenth of the call to answer in. */
export function longestAppendMs(requestTimeoutSecs: number): number {
  return Math.floor(brokerCallTimeoutMs(requestTimeoutSecs) * 0.9);
}

/** Both limits that are worked out from settings rather than set. */
export function deadlines(values: {
  readonly requestTimeoutSecs: number;
  readonly appendTimeoutMs: number;
  readonly dbStatementTimeoutMs: number;
}): Deadlines {
  return {
    brokerCallTimeoutMs: brokerCallTimeoutMs(values.requestTimeoutSecs),
    appendStatementTimeoutMs: Math.min(values.dbStatementTimeoutMs, Math.floor(values.appendTimeoutMs * 0.9)),
  };
}
