import type { Decision } from '../domain/sequencing/decision.ts';
import type { AppendOutcome, Claim, NewVesEvent } from '../storage/event-log.ts';
import { Knowledge, type OwnedStore } from './owned-store.ts';

/** A decision whose append was sent. */
export interface Attempt {
  /** What was decided on; the actor may have dropped it since. */
  readonly owned: OwnedStore;
  readonly decision: Decision;
  /** Its signed events as they are stored, with their receipts. */
  readonly ves: readonly NewVesEvent[];
  /** On the clock's monotonic scale. */
  readonly sentMs: number;
  readonly outcome: Promise<AppendOutcome>;
}

/** Requests that are decided and appended together, and how far that is. */
export class Flush<Command> {
  readonly commands: readonly Command[];
  /** When they were taken, on the clock's monotonic scale. */
  readonly takenMs: number;
  /** Null while nothing is on its way. */
  attempt: Attempt | null = null;
  /** What was taken, and perhaps sent, behind this one. */
  next: Flush<Command> | null = null;
  /** Facts gathered for its decision. */
  known = new Knowledge();
  /** The claim that it began with; null when there was one already. */
  claimed: Claim | null = null;
  /** How often it was decided. */
  rounds = 0;

  constructor(commands: readonly Command[], takenMs: number) {
    this.commands = commands;
    this.takenMs = takenMs;
  }

  /**
   * Resolves once what was sent behind this flush has come to its end. That expected the append of this one, so unless it
   * was appended, or nobody knows, it is to be decided again.
   */
  async recallNext(): Promise<void> {
    const { next } = this;
    if (!next?.attempt) return;
    const outcome = await next.attempt.outcome.catch(() => null);
    if (outcome !== null && outcome.kind !== 'appended') next.attempt = null;
  }
}
