import type { Clock } from '../../domain/clock.ts';
import type { LeaderRole, Lease, LeaseHolder, Leases } from '../../storage/leases.ts';
import type { Log } from '../../telemetry/log.ts';

/** Work that one node does for all while it leads. */
export interface LedJob {
  /** Does not wait for the work. */
  start(): void;
  /** Resolves when what is under way is done. */
  stop(): Promise<void>;
}

export interface LeaderElectionDependencies {
  readonly role: LeaderRole;
  readonly holder: LeaseHolder;
  readonly leases: Leases;
  readonly job: LedJob;
  /** From the loss of a leader to the next at most this long, and a look. */
  readonly leaseMs: number;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  /** Uniform in [0, 1), so that nodes do not all look at once. */
  readonly random: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Told of each change. `lost` was not wanted: the lease could not be renewed, or another has taken it. */
  readonly onChange?: (change: 'won' | 'lost' | 'released') => void;
}

/** What a node knows of a role. */
export interface LeadershipReport {
  readonly role: LeaderRole;
  readonly leads: boolean;
  /** The node that leads, as this one saw it last; null when that is not known, or nobody does. */
  readonly leader: string | null;
  /** Of the leader, and when it began; RFC 3339. */
  readonly term: number | null;
  readonly since: string | null;
}

/** A lease is renewed, and looked at by the others, so many times while it lasts. */
const looksPerLease = 3;
const pauseMsMin = 50;

/**
 * Has a job done by one node at a time, as far as that can be known: a lease in the database that the leader renews and that
 * another takes when it is over. A leader counts from before it asked, so it stops before its lease is over unless it is
 * frozen; what happens then is for the job to be safe against.
 *
 * Modes and the moves between them:
 * - `following`: looks again and again; one that finds the lease free, or its own, moves to
 * - `leading`: the job runs. A lease that could not be renewed in time, or is another's, moves it back;
 * - `stopped`, before `start` and after `stop`, which gives a held lease up at once.
 */
export class LeaderElection {
  private readonly deps: LeaderElectionDependencies;
  private mode: 'stopped' | 'following' | 'leading' = 'stopped';
  private seen: { readonly lease: Lease; readonly untilMs: number } | null = null;
  private next: { cancel(): void } | null = null;
  private end: { cancel(): void } | null = null;
  private look: Promise<void> | null = null;
  private wasHintedAt = false;
  private isSilent = false;
  private stopped: Promise<void> | null = null;
  /** The job's starts and stops, one after the other. */
  private turns: Promise<void> = Promise.resolve();

  constructor(deps: LeaderElectionDependencies) {
    this.deps = deps;
  }

  start(): void {
    this.mode = 'following';
    this.lookNow();
  }

  /** Resolves when the job has ended and the lease was given up, or could not be. For good. */
  stop(): Promise<void> {
    this.stopped ??= this.mode === 'stopped' ? Promise.resolve() : this.giveUp();
    return this.stopped;
  }

  /** Called when the lease may have become free; looks at once. */
  hint(): void {
    if (this.mode !== 'following') return;
    this.wasHintedAt = true;
    if (this.look === null) this.lookNow();
  }

  get report(): LeadershipReport {
    const { role } = this.deps;
    const { lease, untilMs } = this.seen ?? {};
    const isHeld = lease !== undefined && untilMs !== undefined && this.deps.clock.monotonicMs() < untilMs;
    return {
      role,
      leads: this.mode === 'leading',
      leader: isHeld ? lease.nodeId : null,
      term: isHeld ? lease.term : null,
      since: isHeld ? lease.since : null,
    };
  }

  private async giveUp(): Promise<void> {
    const { role, holder, leases, log } = this.deps;
    const led = this.mode === 'leading';
    this.mode = 'stopped';
    this.next?.cancel();
    this.end?.cancel();
    if (led) this.endJob();
    await this.look;
    await this.turns;
    // A look that was under way may have taken a lease.
    try {
      await leases.release(role, holder);
    } catch (error) {
      log.warn({ err: error, role }, 'the lease could not be given up: it ends by itself');
    }
    if (led) {
      log.info({ role }, 'gave the lead up');
      this.deps.onChange?.('released');
    }
  }

  private lookNow(): void {
    this.next?.cancel();
    this.wasHintedAt = false;
    this.look = this.holdLease().then((pauseMs) => {
      this.look = null;
      if (this.mode === 'stopped') return;
      const delayMs = this.wasHintedAt ? 0 : pauseMs;
      this.next = this.deps.clock.after(delayMs, () => this.lookNow());
    });
  }

  /** @returns the pause before the next look */
  private async holdLease(): Promise<number> {
    const { role, holder, leases, leaseMs, clock, random, log } = this.deps;
    const usualMs = leaseMs / looksPerLease;
    const askedMs = clock.monotonicMs();
    try {
      const lease = await leases.hold(role, holder, leaseMs);
      const isOurs = lease.instanceId === holder.instanceId;
      this.seen = { lease, untilMs: (isOurs ? askedMs : clock.monotonicMs()) + lease.leftMs };
      this.isSilent = false;
      if (isOurs) this.lead(askedMs + leaseMs, lease);
      else if (this.mode === 'leading') this.follow(`${lease.nodeId} leads`);
      if (isOurs) return usualMs;
      return Math.min(usualMs, Math.max(pauseMsMin, lease.leftMs)) * (1 + random() / 10);
    } catch (error) {
      if (!this.isSilent)
        log.warn({ err: error, role }, 'who leads is not known: the database does not answer');
      this.isSilent = true;
      return usualMs * (0.5 + random() / 2);
    }
  }

  private lead(untilMs: number, { term }: Lease): void {
    const { role, clock, log, job, onChange } = this.deps;
    if (this.mode === 'stopped') return;
    this.end?.cancel();
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) return this.follow('the answer came too late');
    this.end = clock.after(leftMs, () => this.follow('the lease was not renewed in time'));
    if (this.mode === 'leading') return;
    this.mode = 'leading';
    log.info({ role, term }, 'leads from now on');
    onChange?.('won');
    this.turns = this.turns.then(() => {
      if (this.mode === 'leading') job.start();
    });
  }

  private follow(reason: string): void {
    if (this.mode !== 'leading') return;
    const { role, log, onChange } = this.deps;
    this.mode = 'following';
    this.end?.cancel();
    log.warn({ role, reason }, 'leads no longer');
    onChange?.('lost');
    this.endJob();
  }

  private endJob(): void {
    const { role, log, job } = this.deps;
    this.turns = this.turns
      .then(() => job.stop())
      .catch((error: unknown) => log.warn({ err: error, role }, 'the work of the leader did not end well'));
  }
}
