import type { Micros, TenantId } from '../domain/types.ts';

/**
 * Who changed what, entry by entry. An entry is never altered; an operator may delete old ones.
 *
 * Every method asks the primary, and throws `LogUnavailable` when the database can't be reached or does not answer in
 * time; an entry may then have been saved all the same.
 */
export interface AuditEntries {
  /** Durable on return. The database gives the entry its number and its time. */
  append(entry: NewAuditEntry): Promise<void>;

  /** The newest entry of this kind about this resource; null when there is none. */
  latest(about: Pick<NewAuditEntry, 'action' | 'resourceType' | 'resourceId'>): Promise<AuditEntry | null>;

  /** Newest first, at most `limit`. */
  list(filter: AuditFilter, page: AuditPage): Promise<AuditEntry[]>;
}

/** Names that stand in the database and in answers, and are never changed. */
export type AuditAction =
  | 'api_key_created'
  | 'api_key_revoked'
  | 'api_key_updated'
  | 'agent_key_registered'
  | 'agent_key_rotated'
  | 'agent_key_revoked'
  | 'schema_registered'
  | 'schema_updated'
  | 'schema_activated'
  | 'schema_deprecated'
  | 'schema_deleted'
  | 'config_updated'
  | 'tenant_erasure_requested'
  | 'tenant_erased'
  | 'payloads_reencrypted'
  | 'rollback_accepted'
  | 'dead_letter_retried'
  | 'dead_letter_purged'
  | 'projections_rebuilt'
  | `custom:${string}`;

/** With what the actor proved who it is; `public` for nobody, `system` for a node, `command` for the command line. */
export type AuditActorType = 'api_key' | 'jwt' | 'public' | 'system' | 'command';

export interface NewAuditEntry {
  readonly action: AuditAction;
  /** An agent's id, or a name for those that are no agent. */
  readonly actor: string;
  readonly actorType: AuditActorType;
  /** Whose thing was changed; null when it belongs to no tenant. */
  readonly tenantId: TenantId | null;
  readonly resourceType: string;
  readonly resourceId: string | null;
  /** As the caller saw it in `x-request-id`. */
  readonly requestId: string | null;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  /** What changed, as JSON can say it; never a secret. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly success: boolean;
  readonly errorMessage: string | null;
}

export interface AuditEntry extends NewAuditEntry {
  readonly id: number;
  readonly timestamp: Micros;
}

/** Null means any. */
export interface AuditFilter {
  readonly tenantId: TenantId | null;
  readonly action: string | null;
  /** The first moment that counts. */
  readonly from: Micros | null;
  /** The first moment that no longer counts. */
  readonly to: Micros | null;
}

export interface AuditPage {
  /** The place of the last entry of the page before; null for the first page. */
  readonly after: Pick<AuditEntry, 'id' | 'timestamp'> | null;
  readonly limit: number;
}
