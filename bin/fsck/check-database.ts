import type { Uuid } from '../../domain/types.ts';
import type { MasterKeySettings } from '../../storage/payloads/master-keys.ts';
import { LogScan, type ScannedStore } from '../../storage/postgres/log-scan.ts';
import { openScanPool } from '../scan-database.ts';
import { compareFindings, type Finding, withoutEchoes } from './finding.ts';
import { runTasks } from './run-tasks.ts';
import type { ScanTask } from './scan-task.ts';

export interface FsckOptions {
  readonly databaseUrl: string;
  /** Null for all. */
  readonly tenantId: Uuid | null;
  readonly storeId: Uuid | null;
  /** How many threads and connections. */
  readonly jobs: number;
  /** To look into encrypted payloads with. */
  readonly masterKeys: MasterKeySettings;
  /** Told how many of how many steps are done: an event, or a leaf of a commitment. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface FsckReport {
  readonly holds: boolean;
  readonly stores: number;
  readonly events: number;
  readonly commitments: number;
  /** Payloads of tenants that were erased, and of encrypted ones those whose master key is not at hand. */
  readonly erasedPayloads: number;
  readonly unreadablePayloads: number;
  readonly findingCount: number;
  /** By store and world, from the first wrong event on. Of many only the first. */
  readonly findings: readonly Finding[];
}

/** Small enough that all threads have work to the end, large enough that a task is more than its start. */
const eventsOfATask = 20_000;
const worlds = ['legacy', 'ves'] as const;
const noStore = '00000000-0000-0000-0000-000000000000' as Uuid;

/**
 * Reads a whole database again and checks everything that follows from something else. What is appended meanwhile is not
 * looked at.
 * @throws LogUnfit, CheckFailed, or what `pg` throws, when that can't be done
 */
export async function checkDatabase(options: FsckOptions): Promise<FsckReport> {
  const { databaseUrl, tenantId, storeId, jobs, masterKeys } = options;
  const pool = await openScanPool(databaseUrl);
  let stores: ScannedStore[];
  let orphans: { readonly table: string; readonly storeNumber: number }[];
  try {
    const scan = new LogScan(pool);
    stores = await scan.stores(tenantId, storeId);
    orphans = tenantId === null && storeId === null ? await scan.orphans() : [];
  } finally {
    await pool.end();
  }
  const tasks = stores.flatMap(tasksOf);
  const total = stores.reduce((sum, store) => sum + stepsOf(store), 0);
  let done = 0;
  const outcomes = await runTasks(tasks, { databaseUrl, jobs, masterKeys }, (steps) => {
    done += steps;
    options.onProgress(done, total);
  });
  const found = [...orphans.map(orphanFinding), ...outcomes.flatMap((outcome) => outcome.findings)];
  const findings = withoutEchoes(found).sort(compareFindings);
  type Counted = 'events' | 'commitments' | 'erasedPayloads' | 'unreadablePayloads' | 'findingCount';
  const sum = (of: Counted): number => outcomes.reduce((total, outcome) => total + outcome[of], 0);
  const findingCount = orphans.length + sum('findingCount') - (found.length - findings.length);
  return {
    holds: findingCount === 0,
    stores: stores.length,
    events: sum('events'),
    commitments: sum('commitments'),
    erasedPayloads: sum('erasedPayloads'),
    unreadablePayloads: sum('unreadablePayloads'),
    findingCount,
    findings,
  };
}

function tasksOf(store: ScannedStore): ScanTask[] {
  const tasks: ScanTask[] = [{ kind: 'store', store }];
  for (const world of worlds) {
    const last = lastOf(store, world);
    for (let from = 1; from <= last; from += eventsOfATask) {
      tasks.push({ kind: 'events', store, world, from, to: Math.min(last, from + eventsOfATask - 1) });
    }
    if (store[world].committedTo > 0)
      tasks.push({ kind: 'commitments', store, world, head: store[world].head });
  }
  return tasks;
}

function stepsOf(store: ScannedStore): number {
  return worlds.reduce((sum, world) => {
    const last = lastOf(store, world);
    return sum + last + Math.min(last, store[world].committedTo);
  }, 0);
}

/** The smaller of head and last sequence: where they differ one of them may be anything, and that is told of the store. */
function lastOf(store: ScannedStore, world: 'legacy' | 'ves'): number {
  const { head, lastSequence } = store[world];
  return Math.min(head, lastSequence ?? 0);
}

function orphanFinding({ table, storeNumber }: { table: string; storeNumber: number }): Finding {
  return {
    tenantId: noStore,
    storeId: noStore,
    world: null,
    sequence: null,
    column: `${table}.store_number`,
    expected: 'the number of a store',
    found: String(storeNumber),
    detail: 'streams has no such store',
  };
}
