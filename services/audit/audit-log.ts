import type { Clock } from '../../domain/clock.ts';
import type { AuditEntries, NewAuditEntry } from '../../storage/audit-log.ts';
import type { Log } from '../../telemetry/log.ts';
import { answerWithin } from '../answer-within.ts';

export interface AuditLogDependencies {
  readonly entries: Pick<AuditEntries, 'append'>;
  /** Off records nothing. */
  readonly enabled: boolean;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'error'>;
  /** Told of each entry that is durable. */
  readonly onRecorded?: () => void;
}

/** How long a change that is done already waits for its entry. */
const recordTimeoutMs = 2_000;
/** Of each text of an entry; a longer one is cut. */
const textLengthMax = 512;
/** Of the details as JSON; the table takes twice as much. */
const detailsBytesMax = 32_768;

/**
 * Writes down who changed what. There are two ways, for two kinds of change:
 * - `record` after a change that is done: it can't be undone for want of an entry, so a failed write goes to the log, with
 *   all that the entry would have said, and the request succeeds;
 * - `recordFirst` before a change that leaves no other trace, such as the erasure of a tenant: without the entry it must
 *   not happen.
 */
export class AuditLog {
  private readonly deps: AuditLogDependencies;

  constructor(deps: AuditLogDependencies) {
    this.deps = deps;
  }

  /** Never rejects; waits for the entry two seconds at most. */
  async record(entry: NewAuditEntry): Promise<void> {
    const { clock, log } = this.deps;
    const bounded = boundedEntry(entry);
    try {
      await answerWithin(clock, recordTimeoutMs, this.append(bounded), 'audit log');
    } catch (error) {
      log.error({ err: error, audit: bounded }, 'an entry of the audit log may be missing');
    }
  }

  /**
   * Durable on return.
   * @throws LogUnavailable when that is not known: then the change must not go ahead
   */
  async recordFirst(entry: NewAuditEntry): Promise<void> {
    await this.append(boundedEntry(entry));
  }

  private async append(entry: NewAuditEntry): Promise<void> {
    if (!this.deps.enabled) return;
    await this.deps.entries.append(entry);
    this.deps.onRecorded?.();
  }
}

/** Callers choose some of these texts, so they are bounded and hold nothing that Postgres or a terminal can't take. */
function boundedEntry(entry: NewAuditEntry): NewAuditEntry {
  const { details } = entry;
  const detailsBytes = Buffer.byteLength(JSON.stringify(details));
  return {
    ...entry,
    actor: boundedText(entry.actor),
    resourceType: boundedText(entry.resourceType),
    resourceId: boundedOrNull(entry.resourceId),
    requestId: boundedOrNull(entry.requestId),
    ipAddress: boundedOrNull(entry.ipAddress),
    userAgent: boundedOrNull(entry.userAgent),
    errorMessage: boundedOrNull(entry.errorMessage),
    details: detailsBytes <= detailsBytesMax ? details : { leftOut: 'too long', bytes: detailsBytes },
  };
}

function boundedOrNull(text: string | null): string | null {
  return text === null ? null : boundedText(text);
}

function boundedText(text: string): string {
  // A cut through a surrogate pair leaves half of it, which is no text either.
  return text.slice(0, textLengthMax).toWellFormed().replaceAll(controlCharacters, '\u{fffd}');
}

// eslint-disable-next-line no-control-regex -- these are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/g;
