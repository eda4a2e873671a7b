import type { StoreKey } from './types.ts';

/**
 * The whole error taxonomy. The kind decides what happens next, the code names the cause and is never renamed: it
 * travels between nodes and stands in the docs.
 *
 * | kind       | means                                  | the actor               | the caller                 | HTTP        |
 * | ---------- | -------------------------------------- | ----------------------- | -------------------------- | ----------- |
 * | `rejected` | the request is wrong and stays wrong   | carries on              | fixes it                   | 4xx         |
 * | `pushback` | fine, but not now; nothing was stored  | carries on              | waits and retries          | 429, 503    |
 * | `fenced`   | this node does not own the stream      | closes, forgets         | retries                    | 503         |
 * | `unknown`  | the append went out, no answer came    | closes, reloads         | retries the same event ids | 504         |
 * | `corrupt`  | an invariant does not hold             | closes and stays closed | stops and calls a person   | 500         |
 *
 * These classes do not survive the wire between nodes: across it look at `type` (the code) and `data.kind`.
 */
export type ErrorKind = 'rejected' | 'pushback' | 'fenced' | 'unknown' | 'corrupt';

export abstract class SequencerError extends Error {
  abstract readonly kind: ErrorKind;
  abstract readonly code: string;
  /** Facts for the log and for the gateway; never secrets. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(message: string, data: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.data = data;
  }
}

// rejected -----------------------------------------------------------------------------------------------------

/** The reasons for which a whole request is refused; the gateway maps each to a status and the route's error form. */
export type RefusalCode =
  | 'UNREADABLE_JSON' // 400: not JSON at all
  | 'WRONG_SHAPE' // 422: JSON, but a field is missing, of the wrong type, or not a UUID, hash or timestamp
  | 'WRONG_MEDIA_TYPE' // 415
  | 'BODY_TOO_LONG' // 413: the request as a whole, before anyone looked into it
  | 'BODY_TOO_SLOW' // 408: the body did not come, or came in drops
  | 'INVALID_QUERY' // 400: a query or path parameter
  | 'INVALID_FIELD_VALUE' // 400
  | 'INSUFFICIENT_PERMISSIONS' // 403
  | 'NOT_FOUND' // 404: what the path or the body names does not exist, or not for this caller
  | 'CONFLICT' // 409: what is asked for contradicts what is there
  | 'TENANT_ERASED' // 410: its payload keys were destroyed, and nothing is appended to it any more
  | 'PAYLOAD_TOO_LARGE' // 413
  | 'QUOTA_EXCEEDED'; // 429: not for want of time, so waiting does not help

/** A request refused as a whole: nothing of it was stored and no sequence was used. */
export class Refused extends SequencerError {
  readonly kind = 'rejected';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, data: Readonly<Record<string, unknown>> = {}) {
    super(message, data);
    this.code = code;
  }
}

/** The database can't keep this version's promises as it is set up; the message says what to change. Stops the start. */
export class LogUnfit extends SequencerError {
  readonly kind = 'rejected';
  readonly code = 'LOG_UNFIT';
}

/** A recorded history that can't be judged: a line is malformed, or what a verdict needs is missing. */
export class UnusableHistory extends SequencerError {
  readonly kind = 'rejected';
  readonly code = 'UNUSABLE_HISTORY';
}

/** What was given to verify is nothing that can be checked. */
export class UnusableEvidence extends SequencerError {
  readonly kind = 'rejected';
  readonly code = 'UNUSABLE_EVIDENCE';
}

// pushback -----------------------------------------------------------------------------------------------------

/** Not now: nothing of the request was stored, and sending it again after `retryAfterSecs` is right. */
export abstract class Pushback extends SequencerError {
  readonly kind = 'pushback';
  readonly retryAfterSecs: number = 1;
}

/** The actor already holds as many commands or bytes as it may. */
export class MailboxFull extends Pushback {
  readonly code = 'MAILBOX_FULL';
}

/** The node already holds as many request bytes as it may. */
export class BytesInFlightExceeded extends Pushback {
  readonly code = 'BYTES_IN_FLIGHT_EXCEEDED';
}

/** As many signatures as may wait on this node wait to be checked. */
export class SignatureChecksFull extends Pushback {
  readonly code = 'SIGNATURE_CHECKS_FULL';
}

/** All the actors that this node may keep alive are busy. */
export class TooManyLiveActors extends Pushback {
  readonly code = 'TOO_MANY_LIVE_ACTORS';
}

/** The time that the caller gave ran out while the command waited; it was not appended. */
export class DeadlineExceeded extends Pushback {
  readonly code = 'DEADLINE_EXCEEDED';
}

/** The node or the actor is shutting down and took nothing. */
export class ShuttingDown extends Pushback {
  readonly code = 'SHUTTING_DOWN';
}

/** The log can't be reached, and it is certain that nothing was stored. */
export class LogUnavailable extends Pushback {
  readonly code = 'LOG_UNAVAILABLE';
}

/** What the call needs failed again and again, so it was not asked. */
export class CircuitOpen extends Pushback {
  readonly code = 'CIRCUIT_OPEN';
}

/** As many calls or bytes as may be under way to the node that owns the stream are. */
export class NodeLinkFull extends Pushback {
  readonly code = 'NODE_LINK_FULL';
}

/** This node can't see the others, so it takes over no stream: another may own it. */
export class ClusterUnreachable extends Pushback {
  readonly code = 'CLUSTER_UNREACHABLE';
}

/** A payload is stored in a form that this node can't or may not read; the message says which setting would let it. */
export class PayloadUnreadable extends Pushback {
  readonly code = 'PAYLOAD_UNREADABLE';
  override readonly retryAfterSecs = 30;
}

/** The log lacks what a node acknowledged: it waits until an operator has accepted the loss, or has brought it back. */
export class LogRolledBack extends Pushback {
  readonly code = 'LOG_ROLLED_BACK';
  override readonly retryAfterSecs = 30;

  /** What callers are told; which events are lost is for the operator. */
  constructor({ tenantId, storeId }: StoreKey) {
    super(
      `the log lacks events of store ${storeId} that were acknowledged; nothing is appended to it until an operator has seen to it`,
      { tenantId, storeId },
    );
  }
}

/** What is asked for is projected again from the first event on, and is not there yet. */
export class ProjectionRebuilding extends Pushback {
  readonly code = 'PROJECTION_REBUILDING';
}

// fenced -------------------------------------------------------------------------------------------------------

/** Another owner holds a newer epoch of this store; nothing was stored here. */
export class Fenced extends SequencerError {
  readonly kind = 'fenced';
  readonly code = 'FENCED';
}

// unknown ------------------------------------------------------------------------------------------------------

/** An append went out and no answer came back: it may or may not be durable. */
export class AppendOutcomeUnknown extends SequencerError {
  readonly kind = 'unknown';
  readonly code = 'APPEND_OUTCOME_UNKNOWN';
}

/** A commitment was sent to be made durable and no answer came back: the list of commitments tells whether it was. */
export class CommitmentOutcomeUnknown extends SequencerError {
  readonly kind = 'unknown';
  readonly code = 'COMMITMENT_OUTCOME_UNKNOWN';
}

// corrupt ------------------------------------------------------------------------------------------------------

/**
 * The log refused what was to be appended for what is in it, although every check had passed: a fault of ours. Nothing
 * was stored and nothing is inconsistent, so the stream goes on without that request.
 */
export class AppendRefused extends SequencerError {
  readonly kind = 'corrupt';
  readonly code = 'APPEND_REFUSED';
}

/** An invariant does not hold; the message carries the values that broke it. */
export class InvariantBroken extends SequencerError {
  readonly kind = 'corrupt';
  readonly code = 'INVARIANT_BROKEN';
}

/** A stored payload is not what was sealed. It concerns this event alone, so its stream goes on. */
export class PayloadDamaged extends SequencerError {
  readonly kind = 'corrupt';
  readonly code = 'PAYLOAD_DAMAGED';
}
