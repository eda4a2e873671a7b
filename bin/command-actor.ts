import { hostname, userInfo } from 'node:os';
import type { NewAuditEntry } from '../storage/audit-log.ts';

/** Who runs a command, as far as the machine knows, for the audit log. */
export function commandActor(): Pick<
  NewAuditEntry,
  'actor' | 'actorType' | 'requestId' | 'ipAddress' | 'userAgent'
> {
  return {
    actor: `${userName()}@${hostname()}`,
    actorType: 'command',
    requestId: null,
    ipAddress: null,
    userAgent: null,
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`; // A container may run under an id that has no name.
  }
}
