import { isBootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { NewAuditEntry } from '../../storage/audit-log.ts';

type Origin = 'actor' | 'actorType' | 'requestId' | 'ipAddress' | 'userAgent';

/** What a request tells about where it comes from. */
interface AuditedRequest {
  /** Null on routes that ask nobody who they are. */
  readonly principal?: Principal | null;
  readonly requestId?: string | null;
  readonly clientAddress?: string | null;
  readonly userAgent?: string | null;
}

/** The part of an audit entry that says who did it and from where: spread it into the entry. */
export function originOf(request: AuditedRequest): Pick<NewAuditEntry, Origin> {
  return {
    ...actorOf(request.principal ?? null),
    requestId: request.requestId ?? null,
    ipAddress: request.clientAddress ?? null,
    userAgent: request.userAgent ?? null,
  };
}

/** An agent where the credential is bound to one; else the tenant, since keys have no names. */
function actorOf(principal: Principal | null): Pick<NewAuditEntry, 'actor' | 'actorType'> {
  if (principal === null) return { actor: 'self_service', actorType: 'public' };
  const actor =
    principal.agentId ?? (isBootstrapAdmin(principal) ? 'bootstrap_admin' : `tenant:${principal.tenantId}`);
  return { actor, actorType: 'api_key' };
}
