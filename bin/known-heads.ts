import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config/read-settings.ts';
import type { Uuid } from '../domain/types.ts';
import { AcknowledgedHeads } from '../services/known-heads/acknowledged-heads.ts';
import { systemClock } from '../services/system-clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { DataDir } from './data-dir.ts';
import type { Storage } from './storage.ts';

export interface KnownHeadsOptions {
  readonly storage: Storage;
  readonly dataDir: DataDir;
  readonly nodeId: string;
  /** Of the database: another database has other heads. */
  readonly sequencerId: Uuid;
  readonly log: Log;
}

/** In DATA_DIR, one for each database that a node of it worked on. */
const filePattern = /^known-heads-([0-9a-f-]{36})$/;

/**
 * What this node acknowledged in earlier runs, compared with the log; null where nothing is sequenced.
 * @throws LogUnfit when the file is of another version, LogUnavailable when the log does not answer
 */
export async function openKnownHeads(
  settings: Settings,
  { storage, dataDir, nodeId, sequencerId, log }: KnownHeadsOptions,
): Promise<AcknowledgedHeads | null> {
  if (!settings.nodeServices.includes('sequencer')) return null;
  const name = `known-heads-${sequencerId}`;
  const kept = (await readdir(dataDir.path)).filter((file) => filePattern.test(file));
  if (kept.length > 0 && !kept.includes(name)) {
    log.warn(
      { dataDir: dataDir.path, databases: kept.map((file) => filePattern.exec(file)?.[1]) },
      'this node acknowledged events in another database, and in this one none so far: if that is a surprise, DATABASE_URL names the wrong one, or an empty one',
    );
  }
  return AcknowledgedHeads.open({
    path: join(dataDir.path, name),
    nodeId,
    storesMax: settings.knownHeadsMax,
    lostHeads: storage.lostHeads,
    clock: systemClock,
    log,
  });
}
