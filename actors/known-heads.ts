import type { Decision } from '../domain/sequencing/decision.ts';
import type { Claim } from '../storage/event-log.ts';

/**
 * What this node acknowledged, remembered outside the log. A log that was restored from an older state would otherwise give
 * the same sequences out again, to other events, and its receipts would contradict those that are out.
 */
export interface KnownHeads {
  /**
   * Compares the log with what is remembered of a store that was just claimed.
   * @throws LogRolledBack when the log lacks what was acknowledged, and nobody has accepted the loss
   * @throws LogUnavailable when it can't be asked
   */
  check(claim: Claim): Promise<void>;

  /** Remembers the ends of a flush that is durable, before it is acknowledged. Works in memory, and can't fail. */
  note(claim: Claim, flush: Pick<Decision, 'legacy' | 'ves'>): void;
}
