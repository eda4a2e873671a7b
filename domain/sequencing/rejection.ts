import type { EventId, Sequence } from '../types.ts';

/** Why one event was not accepted (ves-format 9.5, in the domain's words). */
export type RejectionReason =
  | 'duplicate-event-id'
  | 'duplicate-command-id'
  | 'payload-hash-differs'
  | 'cipher-hash-differs'
  | 'signature-differs'
  | 'agent-key-invalid'
  | 'unsupported-version'
  | 'wrong-field'
  | 'schema-validation'
  | 'version-conflict';

/** What is wrong with an event as it stands, whatever the log holds. */
export interface Fault {
  readonly reason: RejectionReason;
  /** A sentence for people. */
  readonly message: string;
  /** What the signed world's reason code carries after its colon: a field's name, a key's state, two versions. */
  readonly detail?: string;
}

export interface Rejection extends Fault {
  readonly eventId: EventId;
  /** Of the stored event, when the reason is an event id that is in the log. */
  readonly sequence?: Sequence;
}
