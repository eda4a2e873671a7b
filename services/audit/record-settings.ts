import type { Clock } from '../../domain/clock.ts';
import type { AuditEntries } from '../../storage/audit-log.ts';
import type { Log } from '../../telemetry/log.ts';
import { answerWithin } from '../answer-within.ts';
import type { AuditLog } from './audit-log.ts';

export interface RecordSettingsDependencies {
  readonly entries: Pick<AuditEntries, 'latest'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'warn'>;
}

type Settings = Readonly<Record<string, unknown>>;

/** A start does not wait longer for the settings of the last one. */
const readTimeoutMs = 2_000;

/**
 * Compares the settings with which a node starts with those that it recorded last, and records them when they differ, each
 * change with its old and new value. Never rejects: a node also starts without its audit log.
 * @param settings by name, without secrets
 */
export async function recordSettings(
  { entries, audit, clock, log }: RecordSettingsDependencies,
  nodeId: string,
  settings: Settings,
): Promise<void> {
  const resource = { action: 'config_updated', resourceType: 'settings', resourceId: nodeId } as const;
  try {
    const latest = await answerWithin(clock, readTimeoutMs, entries.latest(resource), 'audit log');
    const known = latest?.details.settings;
    const changed = isSettings(known) ? changesBetween(known, settings) : null;
    if (changed !== null && Object.keys(changed).length === 0) return;
    await audit.record({
      ...resource,
      actor: nodeId,
      actorType: 'system',
      tenantId: null,
      requestId: null,
      ipAddress: null,
      userAgent: null,
      details: { changed, settings },
      success: true,
      errorMessage: null,
    });
  } catch (error) {
    log.warn({ err: error }, 'the settings could not be compared with those of the last start');
  }
}

interface Change {
  readonly from: unknown;
  readonly to: unknown;
}

/** Settings that came with another version or left with it count as null before or after. */
function changesBetween(before: Settings, after: Settings): Readonly<Record<string, Change>> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changes = [...names].map((name): [string, Change] => [
    name,
    { from: before[name] ?? null, to: after[name] ?? null },
  ]);
  return Object.fromEntries(
    changes.filter(([, { from, to }]) => JSON.stringify(from) !== JSON.stringify(to)),
  );
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
