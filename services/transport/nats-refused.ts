import { SequencerError } from '../../domain/errors.ts';

/** A NATS server answers and does not let us in. Stops the start. */
export class NatsRefused extends SequencerError {
  readonly kind = 'rejected';
  readonly code = 'NATS_REFUSED';
}
