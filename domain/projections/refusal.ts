import { SequencerError } from '../errors.ts';

/** Why an event changes no projection; names that stand in the database and in answers, and are never changed. */
export type RefusalReason =
  /** The payload has not the form that its event type needs. */
  | 'schema_validation'
  /** A number would leave its bounds. */
  | 'invariant_violation'
  /** The entity is not in a state from which this event leads on. */
  | 'invalid_state_transition'
  /** `base_version` is not the projected version. */
  | 'version_conflict'
  /** The payload can't be read, or a projector failed. */
  | 'handler_error'
  /** No event that creates the entity was applied before. */
  | 'entity_not_found';

/** Thrown by projectors and caught by `project`, which makes a value of it: no error for anyone else. */
export class EventRefused extends SequencerError {
  readonly kind = 'rejected';
  readonly code = 'EVENT_REFUSED';
  readonly reason: RefusalReason;

  /** @param message names fields and bounds, and no text of a payload: it is kept longer than payloads may be */
  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
