import type { ActorDirectory } from '../../actors/actor-directory.ts';
import type { Strictness } from '../../domain/base64url.ts';
import type { RequestLimits } from '../../domain/check-request.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import type { Uuid } from '../../domain/types.ts';
import type { SchemaChecks } from '../schemas/schema-checks.ts';
import type { SignatureChecks } from '../ves/signature-checks.ts';
import type { TurnBudget } from './turn-budget.ts';

/** What it takes to append a request of either world. */
export interface AppendDependencies {
  readonly directory: ActorDirectory;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly requestLimits: RequestLimits;
  /** How hashes, signatures and base64url must be written in signed events. */
  readonly strictness: Strictness;
  readonly signatures: Pick<SignatureChecks, 'check'>;
  readonly schemaChecks: Pick<SchemaChecks, 'check'>;
  readonly sequencerId: Uuid;
  /** How much of the waiting requests is read before the event loop goes on. */
  readonly turnBudget: TurnBudget;
}
