import { randomUUID } from 'node:crypto';
import type { Settings } from '../config/read-settings.ts';
import {
  LeaderElection,
  type LeadershipReport,
  type LedJob,
} from '../services/leadership/leader-election.ts';
import { Retention, type RetentionRule } from '../services/retention/retention.ts';
import { systemClock } from '../services/system-clock.ts';
import type { LeaderRole } from '../storage/leases.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Storage } from './storage.ts';

export interface OpenLeadershipOptions {
  readonly storage: Pick<Storage, 'leases' | 'projections' | 'deleteExpiredErasureRequests'>;
  readonly nodeId: string;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Null where nothing is committed unasked. */
  readonly commitments: LedJob | null;
  /** Called when a lease was given up, so that the others need not wait until they look. */
  readonly onReleased: () => void;
}

/** The work that one node does for all, as far as this one is a candidate for it. */
export interface Leadership {
  start(): void;
  /** Ends the work, and hands over what this node leads. */
  stop(): Promise<void>;
  /** Someone has given a lease up. */
  hint(): void;
  reports(): readonly LeadershipReport[];
}

/** Not started. */
export function openLeadership(settings: Settings, options: OpenLeadershipOptions): Leadership {
  const { storage, nodeId, metrics, log, commitments, onReleased } = options;
  const jobs: [LeaderRole, LedJob][] = [];
  if (commitments !== null) jobs.push(['commitments', commitments]);
  // Gateways alone are many, come and go, and have nothing to do with what is stored.
  if (settings.nodeServices.some((service) => service !== 'gateway')) {
    jobs.push(['retention', openRetention(settings, options)]);
  }
  if (!settings.workerLeaderElection) return everyoneLeads(jobs, nodeId);
  const holder = { nodeId, instanceId: randomUUID() };
  const elections = jobs.map(
    ([role, job]) =>
      new LeaderElection({
        role,
        holder,
        job,
        leases: storage.leases,
        leaseMs: settings.leaderLeaseSecs * 1_000,
        clock: systemClock,
        random: Math.random,
        log,
        onChange: (change) => {
          metrics.cluster.leadershipChanged(role, change);
          if (change === 'released') onReleased();
        },
      }),
  );
  const reports = () => elections.map(({ report }) => report);
  metrics.cluster.watchLeadership(reports);
  return {
    start: () => elections.forEach((election) => election.start()),
    stop: async () => {
      await Promise.all(elections.map((election) => election.stop()));
    },
    hint: () => elections.forEach((election) => election.hint()),
    reports,
  };
}

/** Without an election: every node that could does the work. */
function everyoneLeads(jobs: readonly (readonly [LeaderRole, LedJob])[], nodeId: string): Leadership {
  return {
    start: () => jobs.forEach(([, job]) => job.start()),
    stop: async () => {
      await Promise.all(jobs.map(([, job]) => job.stop()));
    },
    hint: () => undefined,
    reports: () => jobs.map(([role]) => ({ role, leads: true, leader: nodeId, term: null, since: null })),
  };
}

function openRetention(settings: Settings, { storage, metrics, log }: OpenLeadershipOptions): LedJob {
  const rules: RetentionRule[] = [
    {
      rows: 'requests to erase a tenant that nobody confirmed in time',
      deleteSome: (rowsMax) => storage.deleteExpiredErasureRequests(rowsMax),
    },
  ];
  const olderThanDays = settings.rejectedEventsRetentionDays;
  if (olderThanDays > 0) {
    rules.push({
      rows: `records of refused events older than ${olderThanDays} days`,
      // What they say can be had again by a rebuild of the projections.
      deleteSome: (rowsMax) => storage.projections.deleteOldRefusals({ olderThanDays, rowsMax }),
      onDeleted: (rows) => metrics.projections.refusalsDeleted.inc(rows),
    });
  }
  return new Retention({ rules, clock: systemClock, log });
}
