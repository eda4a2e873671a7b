import { isBootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { NewAuditEntry } from '../../storage/audit-log.ts';
import type { ProofKind } from './authenticate.ts';
import type { RouteRequest } from './route.ts';

type Origin = 'actor' | 'actorType' | 'requestId' | 'ipAddress' | 'userAgent';

/** A public route's request has no principal. */
type AuditedRequest = Pick<RouteRequest, 'requestId' | 'clientAddress' | 'userAgent'> & {
  readonly principal?: Principal;
  readonly provedBy?: ProofKind;
};

/** The part of an audit entry that says who did it and from where: spread it into the entry. */
export function originOf(request: AuditedRequest): Pick<NewAuditEntry, Origin> {
  return {
    ...actorOf(request.principal, request.provedBy),
    requestId: request.requestId,
    ipAddress: request.clientAddress(),
    userAgent: request.userAgent(),
  };
}

/** An agent where the credential is bound to one; else the tenant, since keys have no names. */
function actorOf(
  principal: Principal | undefined,
  provedBy: ProofKind = 'none',
): Pick<NewAuditEntry, 'actor' | 'actorType'> {
  if (principal === undefined) return { actor: 'self_service', actorType: 'public' };
  const actor =
    principal.agentId ?? (isBootstrapAdmin(principal) ? 'bootstrap_admin' : `tenant:${principal.tenantId}`);
  return { actor, actorType: provedBy === 'api_key' || provedBy === 'jwt' ? provedBy : 'public' };
}
